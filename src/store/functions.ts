import { AppError, type ErrorCode } from '../errors.ts'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { withStoreErrors } from './errors.ts'

export type Functions = ReturnType<typeof createFunctions>

/** SQL functions that only one command uses: each judges the acting user and writes, in one statement. */
export function createFunctions (prisma: PrismaClient) {
  return withStoreErrors({
    /**
     * Calls a function of `prisma/functions` that returns the error code, or null for success. Used as a template tag:
     * call`parley_decline_invitation(${userId}::uuid, ${channel}, ${sid}::uuid)`.
     * @throws AppError with that code.
     */
    async call (text: TemplateStringsArray, ...values: unknown[]): Promise<void> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`SELECT ${Prisma.sql(text, ...values)} AS code`
      if (row.code !== null) throw new AppError(row.code)
    }
  })
}

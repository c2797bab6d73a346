import type { PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import { withStoreErrors } from './errors.ts'
import type { ClientTrace } from './tokens.ts'
import type { Actor } from './users.ts'

/** A login that has not ended. `tokenId` is the id of its unused refresh token. */
export interface LoginRow extends ClientTrace { sid: string, tokenId: string, usedAt: Date }

/** The place of a login in the list: when it was last used, and the id of its unused token. */
export type LoginPlace = Pick<LoginRow, 'usedAt' | 'tokenId'>

export type LoginStore = ReturnType<typeof createLoginStore>

/** What users see of their own logins, and how they end them [P62]. */
export function createLoginStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Lists a user's logins, the most recently used first, after the place `after`. */
    list (userId: string, after: LoginPlace | undefined, limit: number): Promise<LoginRow[]> {
      const { usedAt, tokenId } = after ?? { usedAt: null, tokenId: null }
      return prisma.$queryRaw<LoginRow[]>`
        SELECT login AS sid, token_id AS "tokenId", device, network, used_at AS "usedAt"
        FROM parley_list_logins(${userId}::uuid, ${usedAt}::timestamptz, ${tokenId}::uuid, ${limit}::int)`
    },

    /** Ends one login of the actor. @returns null, or the error code of the refusal. */
    async end ({ userId, sid }: Actor, ended: string): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_end_own_login(${userId}::uuid, ${sid}::uuid, ${ended}::uuid) AS code`
      return row.code
    },

    /**
     * Ends all logins of the actor but the one they act by.
     * @returns the refusal, or the ids of the logins that ended; of very many, only some.
     */
    async endOthers ({ userId, sid }: Actor): Promise<{ code: ErrorCode } | { code: null, ended: string[] }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode } | { code: null, ended: string[] }]>`
        SELECT code, ended FROM parley_end_other_logins(${userId}::uuid, ${sid}::uuid)`
      return row
    }
  })
}

import type { ErrorCode } from '../errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

export type WatchingStore = ReturnType<typeof createWatchingStore>

/** Judges what admins do with the live state of instances, and logs their acts. */
export function createWatchingStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** @returns null for an admin whose login goes on, else the error code of the refusal. */
    async judge ({ userId, sid }: Actor): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_judge_admin(${userId}::uuid, ${sid}::uuid) AS code`
      return row.code
    }
  })
}

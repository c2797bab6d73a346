import type { PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { Block } from '../schemas/block.ts'
import { NIL, type Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** A block that was set or ended. `direct` is the direct channel of the two users, where something has changed in it. */
export interface BlockChange { code: null, direct: { channelId: string, aclVersion: number } | null }

export type BlockStore = ReturnType<typeof createBlockStore>

export function createBlockStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Makes the user block another one, or ends that [P48]. `maxBlocks`: how many users they may block; 0 means no limit. */
    async set ({ userId, sid }: Actor, targetId: string, isBlocked: boolean, maxBlocks: number): Promise<Refused | BlockChange> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string | null, acl_version: bigint }]>`
        SELECT * FROM parley_block_user(${userId}::uuid, ${sid}::uuid, ${targetId}::uuid, ${isBlocked}, ${maxBlocks}::int)`
      if (row.code !== null) return { code: row.code }
      return { code: null, direct: row.channel_id === null ? null : { channelId: row.channel_id, aclVersion: Number(row.acl_version) } }
    },

    /** Lists the users whom a user blocks, in order of id, after the id `after`. */
    async list (userId: string, after: string | undefined, limit: number): Promise<Block[]> {
      const rows = await prisma.$queryRaw<Array<Omit<Block, 'created_at'> & { created_at: Date }>>`
        SELECT b."blockedId" AS user_id, u.name AS username, u.handle, b."createdAt" AS created_at
        FROM "UserBlock" b JOIN "User" u ON u.id = b."blockedId"
        WHERE b."userId" = ${userId}::uuid AND b."blockedId" > ${after ?? NIL}::uuid ORDER BY b."blockedId" LIMIT ${limit}`
      return rows.map(row => ({ ...row, created_at: row.created_at.toISOString() }))
    }
  })
}

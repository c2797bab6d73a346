import { uuidv7 } from 'uuidv7'
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
    },

    /** Logs that an admin closes a connection. `userId`: its user, if it has one. @returns null, or the error code of the refusal. */
    async logClose ({ userId: actorId, sid }: Actor, connection: string, userId: string | null): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_close_connection(${actorId}::uuid, ${sid}::uuid, ${userId}::uuid, ${connection}::uuid, ${uuidv7()}::uuid) AS code`
      return row.code
    },

    /** Logs that an admin begins to trace a channel. @returns the channel's id, or the error code of the refusal. */
    async logTrace ({ userId, sid }: Actor, channel: string): Promise<{ code: ErrorCode } | { code: null, channelId: string }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channelId: string }]>`
        SELECT code, channel_id AS "channelId" FROM parley_trace_channel(${userId}::uuid, ${sid}::uuid, ${channel}, ${uuidv7()}::uuid)`
      return row.code === null ? { code: null, channelId: row.channelId } : { code: row.code }
    }
  })
}

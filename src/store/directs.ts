import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { Channel } from '../schemas/channel.ts'
import { channelColumns, refused, toChannel, type ChannelRow, type Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** An opened direct channel. `isNew`: it was made now. `effect`: the user was not a member before. */
export interface Opened { code: null, channelName: string, isNew: boolean, effect: boolean }

/** A direct channel of which a user has to be told [P47]. `at`: since when, in Unix milliseconds of the database's clock. */
export interface Telling { userId: string, at: number, channel: Channel }

export type DirectStore = ReturnType<typeof createDirectStore>

export function createDirectStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Opens the direct channel of two users [P47]. `newId` becomes its id if it is made. `createdPerMinute`: as in CreationRules. */
    async open ({ userId, sid }: Actor, peerId: string, newId: string, createdPerMinute: number): Promise<Refused | Opened> {
      const [row] = await prisma.$queryRaw<[OpenedRow]>`
        SELECT * FROM parley_open_direct(${userId}::uuid, ${sid}::uuid, ${peerId}::uuid, ${newId}::uuid, ${createdPerMinute}::int)`
      if (row.code !== null) return refused(row.code, row.retry_after_ms)
      return { code: null, channelName: row.channel_name, isNew: row.made, effect: row.effect }
    },

    /**
     * Lists the direct channels of which members have had to be told within the last `ms` milliseconds, by the database's clock: those of
     * the given users, or of all users.
     */
    async toldWithin (ms: number, userIds?: string[]): Promise<Telling[]> {
      const rows = await prisma.$queryRaw<Array<ChannelRow & { user_id: string, told_at: Date }>>`
        SELECT p."userId" AS user_id, p."toldAt" AS told_at, parley_peer(c.id, p."userId") AS peer, ${channelColumns}
        FROM "DirectPeer" p
        CROSS JOIN LATERAL (SELECT FROM "ChannelUser" x WHERE x."channelId" = p."channelId" AND x."userId" = p."userId" LIMIT 1) m
        CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = p."channelId" LIMIT 1) c
        WHERE p."toldAt" > now() - make_interval(secs => ${ms / 1000})
          ${userIds === undefined ? Prisma.empty : Prisma.sql`AND p."userId" = ANY (${userIds}::uuid[])`}`
      return rows.map(row => ({ userId: row.user_id, at: row.told_at.getTime(), channel: toChannel(row) }))
    }
  })
}

interface OpenedRow { code: ErrorCode | null, channel_name: string, made: boolean, effect: boolean, retry_after_ms: bigint | null }

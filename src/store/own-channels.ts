import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { ChannelType } from '../schemas/common.ts'
import { actorTable, channelColumns, standing, toListed, type Listed, type ListedRow } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import type { Position } from './reads.ts'
import { unreadColumns, unreadTables, unwrittenTable } from './unread.ts'
import type { Actor } from './users.ts'

/** A place in the list of one's own channels: the time of the newest message in Unix milliseconds, or 0, and the channel's id. */
export interface ActivityPlace { ms: number, id: string }

export interface OwnChannelQuery {
  type?: ChannelType | undefined
  after?: ActivityPlace | undefined
  limit: number
  unwritten?: Position[]
}

export type OwnChannelStore = ReturnType<typeof createOwnChannelStore>

export function createOwnChannelStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Lists the channels that the user is a member of, those with the newest messages first, after the place `after` [P44]. */
    async list (actor: Actor, { type, after, limit, unwritten = [] }: OwnChannelQuery): Promise<Listed[]> {
      const start = after ? Prisma.sql`(c.ms, c.id) < (${after.ms}::int8, ${after.id}::uuid)` : Prisma.sql`true`
      const rows = await prisma.$queryRaw<ListedRow[]>`
        WITH ${actorTable(actor)},
        ${unwrittenTable(unwritten)},
        own AS MATERIALIZED (
          SELECT x.*, coalesce((extract(epoch FROM coalesce(x."lastMessageAt", parley_last_message_at(x.id, NULL))) * 1000)::int8, 0) AS ms
          FROM u JOIN "ChannelUser" m ON m."userId" = u.id
          CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = m."channelId" LIMIT 1) x
          WHERE ${type ?? null}::"ChannelType" IS NULL OR x."channelType" = ${type ?? null}::"ChannelType"
        )
        SELECT ${channelColumns}, ${standing}, ${unreadColumns}
        FROM (SELECT * FROM own c WHERE ${start} ORDER BY c.ms DESC, c.id DESC LIMIT ${limit}) c CROSS JOIN u ${unreadTables}
        ORDER BY c.ms DESC, c.id DESC`
      return rows.map(toListed)
    }
  })
}

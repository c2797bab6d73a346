import { Prisma } from '../generated/prisma/client.ts'
import type { Unread } from '../schemas/read.ts'
import type { Position } from './reads.ts'

/** Positions of the user that are not written yet, as a table `unwritten` (c: channel id, q: seq) for a WITH clause. */
export function unwrittenTable (positions: Position[]) {
  const json = JSON.stringify(positions.map(({ channelId: c, seq: q }) => ({ c, q })))
  return Prisma.sql`unwritten AS MATERIALIZED (SELECT x.c, x.q FROM json_to_recordset(${json}::json) AS x (c uuid, q bigint))`
}

/** The columns of an UnreadRow, null for a channel `c` that the user `u` is no member of. They need `unreadTables`. */
export const unreadColumns = Prisma.sql`m.read_seq,
  CASE WHEN m.read_seq IS NULL THEN NULL WHEN n.seen = 100 AND n.unread < 100 THEN parley_unread_count(c.id, u.id, m.read_seq)
    ELSE coalesce(n.unread, 0)::int END AS unread_count,
  CASE WHEN m.read_seq IS NOT NULL THEN parley_last_message_at(c.id, c."lastMessageAt") END AS last_message_at`

/**
 * The membership `m` of the user `u` in the channel `c`, if there is one, and what is unread among the next 100 messages, `n`. If some of
 * these do not count, parley_unread_count goes on, which costs more. Needs `unwrittenTable`.
 */
export const unreadTables = Prisma.sql`
  LEFT JOIN LATERAL (SELECT greatest(coalesce(x."readSeq", parley_read_start(x."channelId")),
      (SELECT q FROM unwritten WHERE unwritten.c = c.id)) AS read_seq
    FROM "ChannelUser" x WHERE x."channelId" = c.id AND x."userId" = u.id LIMIT 1) m ON true
  LEFT JOIN LATERAL (
    SELECT count(*) AS seen, count(*) FILTER (WHERE x."userId" <> u.id AND x."deletedAt" IS NULL) AS unread
    FROM (SELECT x."userId", x."deletedAt" FROM "Message" x WHERE x."channelId" = c.id AND x.seq > m.read_seq ORDER BY x.seq LIMIT 100) x
  ) n ON m.read_seq < c."lastSeq"`

export interface UnreadRow { read_seq: bigint | null, unread_count: number | null, last_message_at: Date | null }

/** @returns undefined for a channel that the user is no member of. */
export function toUnread ({ read_seq: readSeq, unread_count: count, last_message_at: at }: UnreadRow): Unread | undefined {
  if (readSeq === null || count === null) return undefined
  return { read_seq: Number(readSeq), unread_count: count, last_message_at: at?.toISOString() ?? null }
}

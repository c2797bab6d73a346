import type { ErrorCode } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { Entry } from '../schemas/message.ts'
import { refused, type Refusal } from './despite-locks.ts'
import type { Actor } from './users.ts'

/** A reaction to add, or to take back [P40]. */
export interface NewReaction extends Actor { channelName: string, messageId: string, reaction: string, isAdded: boolean }

/** The database's answer for one reaction of a batch. `seq` is null where it was added or taken back before, so that nothing was stored. */
export type ReactionVerdict =
  | { code: null, channelId: string, seq: number | null, createdAt: Date, username: string, handle: string | null }
  | Refusal

/** Users of a reaction whose ids history shows [P40]. */
const SHOWN_USERS = 20

/**
 * The columns `reactions` and `reactions_seq` of a message `m` in the channel `c`. The statement reads one state of the database, so the
 * reactions are exactly those after the entry at `reactions_seq`.
 */
export const reactionColumns = Prisma.sql`(
  SELECT json_agg(json_build_object('reaction', r.reaction, 'count', r.count, 'user_ids', r.ids) ORDER BY r.first)
  FROM (
    SELECT x.reaction, count(*) AS count, min(x.seq) AS first, (array_agg(x."userId" ORDER BY x.seq))[1:${SHOWN_USERS}] AS ids
    FROM "Reaction" x WHERE x."messageId" = m.id AND x.current AND m."deletedAt" IS NULL GROUP BY x.reaction
  ) r) AS reactions, c."lastSeq" AS reactions_seq`

/** In place of `reactionColumns` where reactions are not shown. */
export const noReactionColumns = Prisma.sql`NULL::json AS reactions, NULL::bigint AS reactions_seq`

/** A row of parley_react. */
export interface ReactionRow {
  code: ErrorCode | null
  channel_id: string
  seq: bigint | number | string | null
  created_at: Date
  username: string
  handle: string | null
  retry_after_ms: bigint | number | string | null
}

export function toReactionVerdict (row: ReactionRow): ReactionVerdict {
  if (row.code !== null) return refused(row.code, row.retry_after_ms)
  const seq = row.seq === null ? null : Number(row.seq)
  return { code: null, channelId: row.channel_id, seq, createdAt: row.created_at, username: row.username, handle: row.handle }
}

/** `content` is the reaction. */
interface ReactionEntryRow {
  id: string
  seq: bigint
  channel: string
  user_id: string
  username: string
  handle?: string | null
  content: string | null
  created_at: Date
}

export function toReaction (type: 'reaction_added' | 'reaction_removed', row: ReactionEntryRow): Entry {
  const { id, seq, channel, user_id, username, handle, content, created_at: at } = row
  return { type, id, seq: Number(seq), channel, user_id, username, handle: handle!, reaction: content!, timestamp: at.toISOString() }
}

import { uuidv7 } from 'uuidv7'
import type { ErrorCode } from '../errors.ts'
import { MAX_SLOW_MODE } from '../schemas/channel.ts'
import type { Entry, Message } from '../schemas/message.ts'
import type { Database } from './client.ts'
import { byChannel, despiteLocks, refused, unlessLocked, type Refusal } from './despite-locks.ts'
import { messageColumns, messageTables, shownColumns, toEntry, toMessage, type EntryRow } from './entries.ts'
import { withStoreErrors } from './errors.ts'
import {
  noReactionColumns, reactionColumns, toReactionVerdict, type NewReaction, type ReactionRow, type ReactionVerdict
} from './reactions.ts'
import type { Actor } from './users.ts'

/** A message that is not stored yet. */
export interface NewMessage extends Actor {
  id: string
  channelId: string
  content: string
  clientId: string | undefined
  /** The id of the message that it replies to [P39]. */
  replyTo?: string | undefined
  /** JSON text [P38]. */
  data?: string | undefined
}

/** The database's answer for one message of a batch. `told`: the id of the user who has to be told of a direct channel now [P47]. */
export type Verdict =
  | { code: null, id: string, seq: number, createdAt: Date, duplicate: boolean, told: string | null }
  | Refusal

/**
 * An edit or a deletion of a message. `text` is the new text, null for a deletion. `data` is the new data as JSON text, `NO_DATA` to remove
 * it, undefined to leave it.
 */
export interface MessageChange extends Actor { channelName: string, messageId: string, text: string | null, data?: string | undefined }

/** The database's answer for one edit or deletion of a batch. `data`: an edited message's data as JSON text, null if it never had any. */
export type ChangeVerdict =
  | { code: null, channelId: string, seq: number, createdAt: Date, authorId: string, data: string | null }
  | Refusal

/** Requests of all kinds that are stored together, and the database's answers in the same order. */
export interface Batch { messages: NewMessage[], changes: MessageChange[], reactions: NewReaction[] }
export interface BatchVerdicts { messages: Verdict[], changes: ChangeVerdict[], reactions: ReactionVerdict[] }

export interface HistoryRange { before?: number | undefined, after?: number | undefined, limit: number }

export type MessageStore = ReturnType<typeof createMessageStore>

export function createMessageStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  async function publishTogether (batch: NewMessage[]): Promise<Verdict[]> {
    const { senders, messages } = bySender(batch)
    const rows = await query<PublishRow>('SELECT * FROM parley_publish($1::json, $2::json)',
      [JSON.stringify(senders), JSON.stringify(messages)])
    return rows.map(toVerdict)
  }

  async function commitTogether ({ messages, changes, reactions }: Batch, maxReactions: number): Promise<BatchVerdicts> {
    const drafts = bySender(messages)
    const rows = await query<CommitRow>('SELECT * FROM parley_commit($1::json, $2::json, $3::json, $4::json, $5::int)', [
      JSON.stringify(drafts.senders),
      JSON.stringify(drafts.messages),
      JSON.stringify(changes.map(change =>
        ({ n: change.channelName, u: change.userId, s: change.sid, i: change.messageId, m: change.text, d: change.data, l: uuidv7() }))),
      JSON.stringify(reactions.map(({ channelName, userId, sid, messageId, reaction, isAdded }) =>
        ({ n: channelName, u: userId, s: sid, i: messageId, r: reaction, a: isAdded }))),
      maxReactions
    ])
    rows.sort((one, other) => Number(one.ord) - Number(other.ord))
    const rowsOf = (kind: CommitRow['kind']): CommitRow[] => rows.filter(row => row.kind === kind)
    return {
      messages: rowsOf('message').map(toVerdict),
      changes: rowsOf('change').map(toChangeVerdict),
      reactions: rowsOf('reaction').map(toReactionVerdict)
    }
  }

  return withStoreErrors({
    /**
     * Stores a batch in one round trip. Each message gets its channel's next `seq`, or is refused [P26]–[P28].
     * No two messages of a batch may have the same channel, user and client id.
     * @returns one verdict per message, in order.
     * @throws when the batch as a whole failed; it is then unknown whether the batch was stored.
     */
    publish: (batch: NewMessage[]): Promise<Verdict[]> => despiteLocks(batch, message => message.channelId, publishTogether),

    /**
     * Stores requests of all kinds [P34] [P40] as `publish` stores messages. Those of one kind get consecutive numbers of their channel.
     * @param maxReactions different reactions that a message may have.
     */
    async commit (batch: Batch, maxReactions: number): Promise<BatchVerdicts> {
      const verdicts = await unlessLocked(() => commitTogether(batch, maxReactions))
      if (verdicts) return verdicts
      const none: Batch = { messages: [], changes: [], reactions: [] }
      const commitPart = (part: Partial<Batch>): Promise<BatchVerdicts> => commitTogether({ ...none, ...part }, maxReactions)
      const [messages, changes, reactions] = await Promise.all([
        byChannel(batch.messages, message => message.channelId, publishTogether),
        byChannel(batch.changes, change => change.channelName, async part => (await commitPart({ changes: part })).changes),
        byChannel(batch.reactions, reaction => reaction.channelName, async part => (await commitPart({ reactions: part })).reactions)
      ])
      return { messages, changes, reactions }
    },

    /**
     * Reads messages as they are now [P34], in ascending order of `seq`: with `after`, the oldest `limit` messages after it, otherwise the
     * newest `limit` messages. `before` excludes that `seq` and everything after it.
     */
    async history (channelId: string, { before, after, limit }: HistoryRange): Promise<Message[]> {
      const rows = after !== undefined
        ? await prisma.$queryRaw<EntryRow[]>`
          SELECT ${shownColumns} FROM ${messageTables}
          WHERE m."channelId" = ${channelId}::uuid AND m.seq > ${after} AND m.seq < ${before ?? Number.MAX_SAFE_INTEGER}
          ORDER BY m.seq LIMIT ${limit}`
        : await prisma.$queryRaw<EntryRow[]>`
          SELECT ${shownColumns} FROM ${messageTables}
          WHERE m."channelId" = ${channelId}::uuid AND m.seq < ${before ?? Number.MAX_SAFE_INTEGER} ORDER BY m.seq DESC LIMIT ${limit}`
      if (after === undefined) rows.reverse()
      return rows.map(toMessage)
    },

    /**
     * Reads the `limit` messages around `seq` [P41], in ascending order. Half of them, rounded down, are before `seq`; where one side has
     * fewer, the other has more.
     */
    async around (channelId: string, seq: number, limit: number): Promise<Message[]> {
      const rows = await prisma.$queryRaw<EntryRow[]>`
        (SELECT ${shownColumns} FROM ${messageTables}
          WHERE m."channelId" = ${channelId}::uuid AND m.seq < ${seq} ORDER BY m.seq DESC LIMIT ${limit})
        UNION ALL
        (SELECT ${shownColumns} FROM ${messageTables}
          WHERE m."channelId" = ${channelId}::uuid AND m.seq >= ${seq} ORDER BY m.seq LIMIT ${limit})
        ORDER BY seq`
      const found = rows.map(toMessage)
      const older = found.filter(message => message.seq < seq).length
      const start = Math.max(0, Math.min(older - Math.floor(limit / 2), found.length - limit))
      return found.slice(start, start + limit)
    },

    /** Reads one message of the channel as it is now [P41]. @returns null where the channel has no message with this id. */
    async find (channelId: string, id: string): Promise<Message | null> {
      const [row] = await prisma.$queryRaw<EntryRow[]>`
        SELECT ${shownColumns} FROM ${messageTables} WHERE m.id = ${id}::uuid AND m."channelId" = ${channelId}::uuid`
      return row ? toMessage(row) : null
    },

    /** Reads the id of the entry at `seq` [P37], for an edit or a deletion that of its message. @returns null where there is none. */
    async entryId (channelId: string, seq: number): Promise<string | null> {
      const [row] = await query<{ id: string | null }>('SELECT parley_entry_id($1::uuid, $2::bigint) AS id', [channelId, seq])
      return row!.id
    },

    /**
     * Reads the entries (messages, edits, deletions [P34], reactions [P40]) with `after < seq <= upTo`, in ascending order: at most `limit`
     * entries, and none after the one at which the texts together reach `maxBytes` bytes. `withReactions`: messages have their reactions.
     */
    async entries (
      channelId: string, after: number, upTo: number, limit: number, maxBytes: number, withReactions = false
    ): Promise<Entry[]> {
      const rows = await prisma.$queryRaw<EntryRow[]>`
        WITH found AS (
          SELECT 'message' AS kind, ${messageColumns}, ${withReactions ? reactionColumns : noReactionColumns},
            NULL AS handle
          FROM ${messageTables}
          WHERE m."channelId" = ${channelId}::uuid AND m.seq > ${after} AND m.seq <= ${upTo}
          UNION ALL
          SELECT x.kind::text, x."messageId", x.seq, c.name, x."userId", NULL, m.content, NULL, NULL, x."createdAt", NULL, NULL, m.data,
            ${noReactionColumns}, NULL
          FROM "MessageChange" x JOIN "Channel" c ON c.id = x."channelId" LEFT JOIN "Message" m ON m.id = x."messageId"
          WHERE x."channelId" = ${channelId}::uuid AND x.seq > ${after} AND x.seq <= ${upTo}
          UNION ALL
          SELECT CASE WHEN x.added THEN 'reaction_added' ELSE 'reaction_removed' END, x."messageId", x.seq, c.name, x."userId",
            coalesce(u.name, ''), x.reaction, NULL, NULL, x."createdAt", NULL, NULL, NULL, ${noReactionColumns}, u.handle
          FROM "Reaction" x JOIN "Channel" c ON c.id = x."channelId" LEFT JOIN "User" u ON u.id = x."userId"
          WHERE x."channelId" = ${channelId}::uuid AND x.seq > ${after} AND x.seq <= ${upTo}
          ORDER BY seq LIMIT ${limit}
        ), measured AS (
          SELECT *, sum(coalesce(octet_length(content), 0) + coalesce(octet_length(data), 0) + coalesce(octet_length(reactions::text), 0))
            OVER (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes FROM found
        )
        SELECT * FROM measured WHERE coalesce(bytes, 0) < ${maxBytes} ORDER BY seq`
      return rows.map(toEntry)
    },

    /** Resolves when the database answers and can be written to. The lock takes no row, but a read-only database refuses it. */
    async ping (): Promise<void> {
      await query('SELECT FROM "Channel" WHERE false FOR SHARE', [])
    },

    /** Removes up to `most` times of messages in slow mode that are older than every slow mode. @returns how many it removed. */
    purgeSends (most: number): Promise<number> {
      // The time is checked again for each row, because its sender may send anew while the statement runs.
      return prisma.$executeRaw`
        DELETE FROM "LastSend" s USING (
          SELECT "channelId", "userId", now() - make_interval(secs => ${MAX_SLOW_MODE}) AS cutoff FROM "LastSend"
          WHERE "sentAt" < now() - make_interval(secs => ${MAX_SLOW_MODE}) ORDER BY "sentAt" LIMIT ${most}) old
        WHERE s."channelId" = old."channelId" AND s."userId" = old."userId" AND s."sentAt" < old.cutoff`
    },

    /** Removes up to `most` entries of deleted channels. @returns how many rows it removed; 0 when nothing is left to remove. */
    async purge (most: number): Promise<number> {
      const [row] = await prisma.$queryRaw<Array<{ purged: number }>>`SELECT parley_purge_messages(${most}::int) AS purged`
      return row!.purged
    }
  })
}

interface PublishRow {
  code: ErrorCode | null
  id: string
  seq: bigint | number | string | null
  created_at: Date
  duplicate: boolean
  retry_after_ms: bigint | number | string | null
  told: string | null
}

interface CommitRow extends PublishRow, ReactionRow {
  kind: 'message' | 'change' | 'reaction'
  ord: bigint | number | string
  author_id: string
  data: string | null
}

function toVerdict (row: PublishRow): Verdict {
  return row.code === null
    ? { code: null, id: row.id, seq: Number(row.seq), createdAt: row.created_at, duplicate: row.duplicate, told: row.told }
    : refused(row.code, row.retry_after_ms)
}

function toChangeVerdict (row: CommitRow): ChangeVerdict {
  return row.code === null
    ? { code: null, channelId: row.channel_id, seq: Number(row.seq), createdAt: row.created_at, authorId: row.author_id, data: row.data }
    : refused(row.code, row.retry_after_ms)
}

/** Formats a batch for parley_publish: a list of senders without repetition, and messages that refer to a sender by position (from 1). */
function bySender (batch: NewMessage[]): { senders: object[], messages: object[] } {
  const senders: object[] = []
  const placeOf = new Map<string, number>()
  const messages = batch.map(({ channelId, userId, sid, id, content, clientId, replyTo, data }) => {
    const key = `${channelId} ${userId} ${sid}`
    let place = placeOf.get(key)
    if (place === undefined) {
      place = senders.push({ c: channelId, u: userId, s: sid })
      placeOf.set(key, place)
    }
    return { p: place, i: id, m: content, k: clientId, r: replyTo, d: data }
  })
  return { senders, messages }
}

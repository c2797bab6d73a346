import { Prisma } from '../generated/prisma/client.ts'
import { NO_DATA, editedData, type Entry, type Message } from '../schemas/message.ts'
import { reactionColumns, toReaction } from './reactions.ts'

/** The columns of an EntryRow, read from the message `m`, its channel `c` and its author `u`. */
export const messageColumns = Prisma.sql`m.id, m.seq, c.name AS channel, m."userId" AS user_id, coalesce(u.name, '') AS username,
  m.content, m."clientId" AS client_id, m."replyTo" AS reply_to, m."createdAt" AS created_at, m."editedAt" AS edited_at,
  m."deletedAt" AS deleted_at, m.data`
/** The same with the reactions to the message, as history shows it. */
export const shownColumns = Prisma.sql`${messageColumns}, ${reactionColumns}`
export const messageTables = Prisma.sql`"Message" m JOIN "Channel" c ON c.id = m."channelId" LEFT JOIN "User" u ON u.id = m."userId"`

export interface EntryRow {
  kind: 'message' | 'edited' | 'deleted' | 'reaction_added' | 'reaction_removed'
  id: string
  seq: bigint
  channel: string
  user_id: string
  username: string
  content: string | null
  client_id: string | null
  reply_to: string | null
  created_at: Date
  edited_at: Date | null
  deleted_at: Date | null
  data: string | null
  reactions: Message['reactions'] | null
  reactions_seq: bigint | null
  /** Only of the user of a reaction. */
  handle?: string | null
}

export function toMessage (row: EntryRow): Message {
  return {
    id: row.id,
    seq: Number(row.seq),
    channel: row.channel,
    user_id: row.user_id,
    username: row.username,
    message: row.content,
    timestamp: row.created_at.toISOString(),
    ...row.client_id !== null && { client_id: row.client_id },
    ...row.reply_to !== null && { reply_to: row.reply_to },
    ...row.data !== null && row.data !== NO_DATA && { data: JSON.parse(row.data) as unknown },
    ...row.reactions && { reactions: row.reactions, reactions_seq: Number(row.reactions_seq) },
    ...row.edited_at && { edited_at: row.edited_at.toISOString() },
    ...row.deleted_at && { deleted: true }
  }
}

export function toEntry (row: EntryRow): Entry {
  if (row.kind === 'message') return { type: 'message', ...toMessage(row) }
  if (row.kind === 'reaction_added' || row.kind === 'reaction_removed') return toReaction(row.kind, row)
  const change = { id: row.id, seq: Number(row.seq), channel: row.channel, user_id: row.user_id, timestamp: row.created_at.toISOString() }
  if (row.kind === 'deleted') return { type: 'message_deleted', ...change }
  return { type: 'message_edited', ...change, message: row.content, ...editedData(row.data) }
}

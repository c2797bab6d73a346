import { Type, type Static } from '@sinclair/typebox'
import { ChannelName, EntryId, MessageId, Seq, Text, Timestamp, Uuid } from './common.ts'
import { ReactionAdded, ReactionCounts, ReactionRemoved } from './reaction.ts'

/**
 * [P25] A message with data may have no text [P38]. The service checks the length in code points, because a text that is too long has an
 * error of its own, `message_too_long`.
 */
export const MessageText = Type.Optional(Text({ whenMissing: 'message_required', unless: 'data', examples: ['Hello'] }))
/** [P38] Any JSON value; null is none. The service checks that it can be kept as it came. */
export const MessageData = Type.Optional(Type.Unknown({ description: 'any JSON value' }))
export const ClientId = Text({ minLength: 1, maxLength: 64, description: 'the sender\'s own id: the same again stores nothing [P28]' })

/** The fields of a new message, over WebSocket and REST. */
export const messageFields = {
  message: MessageText,
  client_id: Type.Optional(ClientId),
  reply_to: Type.Optional({ ...MessageId, description: 'the message that this one replies to [P39]' }),
  data: MessageData
}
export const MessageCreation = Type.Object(messageFields, { additionalProperties: false })
export type MessageCreation = Static<typeof MessageCreation>
/** The fields that an edit changes. `data`: undefined leaves it, null removes it. */
export interface Edit { message: string | undefined, data: unknown }

export const MessageParams = Type.Object({ name: ChannelName, id: MessageId })

/**
 * A message as history shows it now. An edited one has `edited_at`, a deleted one `message: null` and `deleted: true` [P34]. Its reactions
 * are those after the channel's entry `reactions_seq` [P40].
 */
export const Message = Type.Object({
  id: Uuid,
  seq: Seq,
  channel: Type.String(),
  user_id: Uuid,
  username: Type.String(),
  message: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
  client_id: Type.Optional(Type.String()),
  reply_to: Type.Optional(Uuid),
  data: MessageData,
  reactions: Type.Optional(ReactionCounts),
  reactions_seq: Type.Optional(Seq),
  edited_at: Type.Optional(Timestamp),
  deleted: Type.Optional(Type.Literal(true))
}, { $id: 'Message' })
export type Message = Static<typeof Message>

/** [P41] `around` excludes `before` and `after`. */
export const HistoryQuery = Type.Object({
  before: Type.Optional(Seq),
  after: Type.Optional(Seq),
  around: Type.Optional(Seq),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 }))
}, { additionalProperties: false })
export type HistoryQuery = Static<typeof HistoryQuery>
export const HistoryPage = Type.Object({ messages: Type.Array(Message), channel_id: Uuid, last_seq: Seq, last_id: EntryId })

/** The sender's confirmation that a message is stored. `duplicate`: it was stored before, under the same `client_id` [P28]. */
export const Receipt = Type.Object({
  channel: Type.String(),
  id: Uuid,
  seq: Seq,
  timestamp: Timestamp,
  client_id: Type.Optional(Type.String()),
  duplicate: Type.Optional(Type.Literal(true))
}, { $id: 'Receipt' })
export type Receipt = Static<typeof Receipt>

/** The JSON text of the data of a message whose data an edit has removed [P38]. A message that never had data has no text. */
export const NO_DATA = 'null'

/** The field `data` of an edit's entry, null once the data is removed; no field where the message never had data [P38]. */
export function editedData (json: string | null): { data?: unknown } | undefined {
  return json === null ? undefined : { data: JSON.parse(json) as unknown }
}

const change = { id: Uuid, seq: Seq, channel: Type.String(), user_id: Uuid, timestamp: Timestamp }

export const MessageSent = Type.Composite([Type.Object({ type: Type.Literal('message') }), Message],
  { description: 'A new message of a channel, an entry of its sequence [P26] [P27].' })
export const MessageEdited = Type.Object({
  type: Type.Literal('message_edited'), ...change, message: Type.Union([Type.String(), Type.Null()]), data: MessageData
}, { description: 'A message was edited. The edit is an entry of the channel\'s sequence [P34].' })
export const MessageDeleted = Type.Object({ type: Type.Literal('message_deleted'), ...change },
  { description: 'A message was deleted, by `user_id`. The deletion is an entry of the channel\'s sequence [P34].' })

/** An entry of a channel's sequence, in the form of the frame that carries it [P27] [P34] [P40]. */
export const Entry = Type.Union([MessageSent, MessageEdited, MessageDeleted, ReactionAdded, ReactionRemoved])
export type Entry = Static<typeof Entry>

/** Distinguishes an entry from any other that claims the same `seq`. */
export type EntryMark =
  | { type: 'message' | 'message_edited' | 'message_deleted', id: string }
  | { type: 'reaction_added' | 'reaction_removed', id: string, user_id: string, reaction: string }

/** A key that distinguishes an entry from any other that claims the same `seq`, and from any other that is being committed. */
export function keyOf (entry: EntryMark): string {
  const key = `${entry.type} ${entry.id}`
  return 'reaction' in entry ? `${key} ${entry.user_id} ${entry.reaction}` : key
}

/** The id of the entry that has this key: that of its message. */
export function idOfKey (key: string): string {
  return key.split(' ', 2)[1]!
}

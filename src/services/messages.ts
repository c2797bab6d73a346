import { AppError } from '../errors.ts'
import { isAbsent, isBlank } from '../schemas/common.ts'
import { NO_DATA, type Edit, type Entry, type HistoryQuery, type Message, type MessageCreation, type Receipt } from '../schemas/message.ts'
import type { ReactionReceipt } from '../schemas/reaction.ts'
import type { MessageStore } from '../store/messages.ts'
import type { Actor } from '../store/users.ts'
import type { Channels } from './channels.ts'
import { toJson, type DataLimits } from './json-data.ts'
import type { Done, Draft } from './pending.ts'
import type { Publisher } from './publisher.ts'
import { longerThan } from './text.ts'

/** Entries that one read fetches at most when the bus has lost entries. */
const MAX_MISSING = 500

export type Messages = ReturnType<typeof createMessages>

/** Sends, edits, deletes and reads messages. */
export function createMessages ({ store, channels, publisher, maxLength, dataLimits, maxRepair = Infinity }: {
  store: MessageStore
  channels: Channels
  publisher: Publisher
  /** Longest text of a message, in code points [P25]. */
  maxLength: number
  /** Limits of a message's data [P38]. */
  dataLimits: DataLimits
  /** When the bus has lost entries, one read fetches no further entry once it has this many bytes [P52]. */
  maxRepair?: number
}) {
  /** Returns the text of a message, which may be empty only beside data [P38]. @throws AppError `message_too_long` [P25]. */
  function checkText (text: string | undefined, data: unknown): string {
    if (text === undefined || (!isAbsent(data) && isBlank(text))) return ''
    if (longerThan(text, maxLength)) throw new AppError('message_too_long')
    return text
  }

  /** Returns the data of a message as JSON text, undefined for none [P38]. @throws AppError `invalid_request` if it cannot be kept. */
  function encodeData (data: unknown): string | undefined {
    return isAbsent(data) ? undefined : toJson(data, dataLimits)
  }

  return {
    checkText,
    encodeData,

    /** Queues a message with checked text for a channel that the sender is subscribed to [P7]. `done` is called once, possibly at once. */
    send: (draft: Draft, done: Done): void => publisher.publish(draft, done),

    /** Sends a message for a member of the channel who has no connection. @throws AppError */
    async publish (actor: Actor, username: string, channelName: string, fields: MessageCreation): Promise<Receipt> {
      const { client_id: clientId, reply_to: replyTo } = fields
      const text = checkText(fields.message, fields.data)
      const data = encodeData(fields.data)
      const { channel } = await channels.find(actor, channelName)
      const draft = { ...actor, channelId: channel.id, channelName, username, text, clientId, replyTo, data }
      return await promised(done => publisher.publish(draft, done))
    },

    /** Edits a message [P34]. Its data stays without `data`, and is removed by null [P38]. @throws AppError */
    async edit ({ userId, sid }: Actor, channelName: string, messageId: string, { message, data: value }: Edit) {
      const text = checkText(message, value)
      const data = value === null ? NO_DATA : encodeData(value)
      return await promised(done => publisher.change({ channelName, userId, sid, messageId, text, data }, done))
    },

    /** Deletes a message [P34]. @throws AppError */
    async delete ({ userId, sid }: Actor, channelName: string, messageId: string): Promise<Receipt> {
      return await promised(done => publisher.change({ channelName, userId, sid, messageId, text: null }, done))
    },

    /** Adds the user's reaction to a message, or takes it back [P40]. What is so already changes nothing. @throws AppError */
    async react ({ userId, sid }: Actor, channelName: string, messageId: string, reaction: string, isAdded: boolean) {
      return await promised<ReactionReceipt>(done => publisher.react({ channelName, userId, sid, messageId, reaction, isAdded }, done))
    },

    /**
     * A page of history, for users who may read the channel [P19]. `last_seq` is never older than the page. `last_id` is the id of the
     * entry at `last_seq`, null where there is none [P37].
     * @throws AppError `invalid_request` for `around` together with `before` or `after` [P41].
     */
    async history (actor: Actor, channelName: string, { before, after, around, limit = 50 }: HistoryQuery) {
      if (around !== undefined && (before !== undefined || after !== undefined)) {
        throw new AppError('invalid_request', { detail: 'around: not together with before or after' })
      }
      const channel = await channels.read(actor, channelName)
      const messages = around === undefined
        ? await store.history(channel.id, { before, after, limit })
        : await store.around(channel.id, around, limit)
      const newest = messages.at(-1)
      const lastSeq = Math.max(channel.last_seq, newest?.seq ?? 0)
      const lastId = newest?.seq === lastSeq ? newest.id : await store.entryId(channel.id, lastSeq)
      return { messages, channel_id: channel.id, last_seq: lastSeq, last_id: lastId }
    },

    /** One message of a channel that the user may read, as history shows it [P41]. @throws AppError `message_not_found` */
    async find (actor: Actor, channelName: string, id: string): Promise<Message> {
      const channel = await channels.read(actor, channelName)
      const message = await store.find(channel.id, id)
      if (!message) throw new AppError('message_not_found')
      return message
    },

    /** The newest `limit` messages with a `seq` of at most `upTo`, for a join [P31]. */
    newest: (channelId: string, upTo: number, limit: number): Promise<Message[]> => store.history(channelId, { before: upTo + 1, limit }),

    /** Entries of a channel's sequence with `after < seq <= upTo`: at most `limit`, and no further one once they have `maxBytes`. */
    entries: store.entries,

    /** The id of the entry at `seq`, null where the channel has none [P37]. */
    entryId: store.entryId,

    /** The first of the entries with `after < seq <= upTo` that the bus lost: as many as may be delivered at once. */
    missing: (channelId: string, after: number, upTo: number): Promise<Entry[]> =>
      store.entries(channelId, after, upTo, MAX_MISSING, maxRepair),

    isInFlight: publisher.isInFlight
  }
}

function promised<R = Receipt> (start: (done: Done<R>) => void): Promise<R> {
  return new Promise((resolve, reject) => start((error, receipt) => error ? reject(error) : resolve(receipt!)))
}

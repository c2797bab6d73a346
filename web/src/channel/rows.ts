import type { ChannelState, Message, Outgoing } from '@parley/client'
import { dayOf } from './times.ts'

/** Milliseconds after which an author's next message shows their name again. */
const GROUPED_FOR = 5 * 60_000

/** A message as the list shows it, with what stands above it. A row stays the same object as long as it says the same. */
export interface MessageRow {
  message: Message
  /** Milliseconds since 1970, and the day that this is here. */
  at: number
  day: number
  /** The message shows its author. */
  isFirst: boolean
  /** Its day stands above it. */
  isNewDay: boolean
  /** The line above the first unread message stands above it. */
  isNew: boolean
  /** Messages are missing above it. */
  isAfterGap: boolean
  /** The channel begins with it. */
  isBeginning: boolean
}

export interface OutgoingRow { outgoing: Outgoing, isFirst: boolean }

export type Row = MessageRow | OutgoingRow

export function keyOf (row: Row): string {
  return 'message' in row ? row.message.id : row.outgoing.clientId
}

/**
 * Creates a function that lists the rows of a channel's states. It runs for each frame of a busy channel, so it makes new rows only for
 * what has changed. `readTo`: the position of the line above the unread messages, if there is one. `me`: the id of this user.
 */
export function createRows () {
  const known = new WeakMap<Message, MessageRow>()
  const knownOutgoing = new WeakMap<Outgoing, OutgoingRow>()

  function outgoingRow (outgoing: Outgoing, isFirst: boolean): OutgoingRow {
    const before = knownOutgoing.get(outgoing)
    if (before?.isFirst === isFirst) return before
    const row = { outgoing, isFirst }
    knownOutgoing.set(outgoing, row)
    return row
  }

  return function rowsOf (state: ChannelState, readTo: number | undefined, me: string | undefined): Row[] {
    const { messages, outbox, gap, hasOlder } = state
    const newAt = readTo === undefined ? -1 : firstUnread(state, readTo, me)
    const rows: Row[] = []
    let last: MessageRow | undefined
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i]!
      const before = known.get(message)
      const at = before?.at ?? Date.parse(message.timestamp)
      const day = before?.day ?? dayOf(at)
      const isNewDay = last?.day !== day
      const isNew = i === newAt
      const isAfterGap = gap !== undefined && message.seq >= gap.before && (last === undefined || last.message.seq <= gap.after)
      const isBeginning = i === 0 && !hasOlder
      const isFirst = isNewDay || isNew || isAfterGap || !isGrouped(last!, message, at)
      const isSame = before !== undefined && before.isNewDay === isNewDay && before.isNew === isNew && before.isAfterGap === isAfterGap &&
        before.isBeginning === isBeginning && before.isFirst === isFirst
      last = isSame ? before : { message, at, day, isFirst, isNewDay, isNew, isAfterGap, isBeginning }
      if (!isSame) known.set(message, last)
      rows.push(last)
    }
    const isOwn = last !== undefined && last.message.user_id === me && Date.now() - last.at < GROUPED_FOR
    outbox.forEach((outgoing, i) => rows.push(outgoingRow(outgoing, outgoing.replyTo !== undefined || (i === 0 && !isOwn))))
    return rows
  }
}

function isGrouped ({ message: last, at: lastAt }: MessageRow, message: Message, at: number): boolean {
  return message.user_id === last.user_id && at - lastAt < GROUPED_FOR && message.reply_to === undefined && !last.deleted
}

/** Returns the index of the first unread message, -1 if there is none or if it may lie above the messages that are loaded. */
function firstUnread ({ messages, hasOlder }: ChannelState, readTo: number, me: string | undefined): number {
  const at = messages.findIndex(({ seq, user_id: author }) => seq > readTo && author !== me)
  return at === 0 && hasOlder && messages[0]!.seq > readTo + 1 ? -1 : at
}

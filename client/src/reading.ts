import { textOf } from './calls.ts'
import type { InboxChannel } from './channel-list.ts'
import { createTimer } from './clock.ts'
import type { History } from './history.ts'
import type { Link } from './link.ts'
import type { Reply } from './wire.ts'

/** Milliseconds between two marks, at least. */
const INTERVAL = 500
/** Milliseconds until a mark is made again that the server could not take and of which it said no time. */
const RETRY = 1000
/** A higher number of unread messages is not counted, here as on the server [P44]. */
const MANY = 100

/**
 * Keeps up to where this user has read a channel [P43], and counts what they have not. A mark shows at once, and is made again with the
 * next connection if its reply was lost: a position never falls, so that does no harm.
 */
export function createReading ({ link, channelName, history, isLive, onChange }: {
  link: Link
  channelName: string
  history: History
  /** The channel's history is followed now. */
  isLive (): boolean
  onChange (): void
}) {
  const { calls, clock, inbox, isMine, isOnline } = link
  const pause = createTimer(clock, flush)
  /** The position as the server has told it, and the highest mark that was made here. */
  let known = 0
  let marked = 0
  let isAsking = false
  let isJoined = false
  /** Changes when the reply to an earlier mark must not have an effect. */
  let era = 0

  const readTo = (): number => Math.max(known, marked)

  function flush (): void {
    if (marked <= known || isAsking || pause.isRunning || !isOnline()) return
    const own = era
    isAsking = true
    pause.start(INTERVAL)
    calls.start(textOf('mark_read', { channel: channelName, seq: marked }), (error, reply) => {
      if (own !== era) return
      isAsking = false
      if (!error) known = Math.max(known, (reply as Reply<'mark_read'>).seq)
      else if (error.again) pause.start(error.retryAfterMs ?? RETRY)
      else marked = 0
      onChange()
      flush()
    })
  }

  /** Counts the unread messages that are shown and lie beyond `seq`. */
  function count (seq: number): number {
    let unread = 0
    const messages = history.current
    for (let i = messages.length - 1; i >= 0 && messages[i]!.seq > seq && unread < MANY; i--) {
      if (!messages[i]!.deleted && !isMine(messages[i]!.user_id)) unread++
    }
    return unread
  }

  /** All unread messages are shown, or as many as are counted. */
  const isCovered = (): boolean => history.covers(readTo()) || count(readTo()) === MANY

  /** Nothing is awaited any more: the connection is lost. */
  function stop (): void {
    era++
    isAsking = false
    pause.stop()
  }

  return {
    get readTo () { return readTo() },
    isCovered,
    flush,

    /** The number of unread messages. Beyond what is shown the list of channels knows it. */
    get unread (): number {
      const shown = history.head ? count(readTo()) : 0
      return isCovered() ? shown : Math.max(shown, inbox.find(channelName)?.unread_count ?? 0)
    },

    /** Marks the channel as read, up to its last entry if no `seq` is given. */
    mark (seq = history.head?.seq ?? inbox.find(channelName)?.last_seq ?? 0): void {
      const to = Math.min(seq, history.head?.seq ?? seq)
      if (to <= readTo()) return
      marked = to
      onChange()
      flush()
    },

    /** The position is this high, as the server says, or because a message of this user is: it raises the position to its `seq`. */
    raise (seq: number): void {
      if (seq <= known) return
      known = seq
      onChange()
    },

    joined ({ recovered, me }: Reply<'join_channel'>): void {
      // After a refused resume, another entry may have the `seq` that was marked.
      if (isJoined && !recovered) marked = 0
      isJoined = true
      known = me.read_seq
      flush()
    },

    /** Puts what is known here into the channel's row of the list. `isKnown`: the number of unread messages is right. */
    refine (row: InboxChannel): { row: InboxChannel, isKnown: boolean } {
      const { seq, at } = isLive() ? { seq: history.head!.seq, at: history.current.at(-1)?.timestamp } : {}
      const isExact = seq !== undefined && isCovered()
      const read_seq = Math.max(row.read_seq, readTo())
      // The list may know of entries that are still on their way to a channel that counts by itself.
      const last_seq = isExact ? seq : Math.max(row.last_seq, seq ?? 0)
      const more = last_seq > row.last_seq ? count(row.last_seq) : 0
      const unread_count = isExact ? count(read_seq) : read_seq >= last_seq ? 0 : Math.min(MANY, row.unread_count + more)
      return {
        row: { ...row, last_seq, read_seq, unread_count, last_message_at: at ?? row.last_message_at },
        isKnown: isExact || unread_count === 0 || read_seq === row.read_seq
      }
    },

    stop,

    /** The channel is not open any more. A mark that the server has not taken yet stays. */
    close (): void {
      if (marked <= known) marked = 0
      known = 0
      isJoined = false
    },

    /** Another user has logged in. */
    forget (): void {
      stop()
      known = marked = 0
      isJoined = false
    }
  }
}

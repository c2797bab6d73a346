import { textOf } from './calls.ts'
import { createTimer } from './clock.ts'
import type { ParleyError } from './errors.ts'
import { markOf, toMessage, type Head, type History } from './history.ts'
import type { Link } from './link.ts'
import type { Entry, Reply } from './wire.ts'

/** Milliseconds until a join is tried again that the server could not take and of which it said no time. */
const RETRY = 1000

type Joined = Reply<'join_channel'>

/** `joining`, `resuming`: wanted, but not there yet. `closed`: ended by the server, or left. */
export type Phase = 'idle' | 'joining' | 'live' | 'resuming' | 'closed'

export type Subscription = ReturnType<typeof createSubscription>

/**
 * Keeps a channel joined while it is wanted, and its history without a gap: each entry of the stream follows the one before it, and
 * after every loss of the connection the rest is asked for [C8]. `onEntry` gets each entry once, in order.
 */
export function createSubscription ({ link, channelName, history, pageSize, isWanted, onEntry, onJoined, onLeft, onChange }: {
  link: Link
  channelName: string
  history: History
  /** Messages of the first page, 1 to 100. */
  pageSize: number
  isWanted (): boolean
  onEntry (entry: Entry): void
  /** `isAnew`: the window has begun anew. */
  onJoined (joined: Joined, isAnew: boolean): void
  /** The subscription has ended: because of an error, or because nobody wants it any more. */
  onLeft (error?: ParleyError): void
  onChange (): void
}) {
  const retry = createTimer(link.clock, sync)
  let phase: Phase = 'idle'
  /** This connection has asked to join, or is subscribed. */
  let isAsked = false
  /** Changes with each join, so that the reply to an earlier one has no effect. */
  let era = 0
  let isLeaving = false

  function enter (next: Phase): void {
    if (phase === next) return
    phase = next
    onChange()
  }

  /** Joins if the channel is wanted, and ends the subscription if it is not. */
  function sync (): void {
    if (!isWanted()) return leaveLater()
    if (phase === 'closed' || isAsked) return
    enter(history.head ? 'resuming' : 'joining')
    if (link.isOnline() && !retry.isRunning) join()
  }

  function join (): void {
    isAsked = true
    const { head } = history
    if (!head) return ask({ history: pageSize }, joined => begin(joined))
    const { seq, id, channelId, mark } = head
    // The id of an edit does not tell it from another one, so that the entry is asked for once more, and compared.
    const since = mark === undefined ? seq : seq - 1
    const known = mark === undefined && (id !== null || seq === 0) && { since_id: id }
    ask({ since, channel_id: channelId, ...known }, joined => {
      const { recovered, messages: entries } = joined
      const isWhole = recovered && joined.seq >= seq && entries.length === joined.seq - since
      if (isWhole && (mark === undefined || markOf(entries[0]!) === mark)) return resume(joined, entries.slice(seq - since))
      // Too much was missed, or the channel is another one: what is shown may be wrong. It is replaced by the newest page.
      ask({ history: pageSize }, page => begin(page, page.channel_id === channelId ? seq : undefined))
    })
  }

  function ask (fields: object, done: (joined: Joined) => void): void {
    const own = ++era
    link.calls.start(textOf('join_channel', { channel: channelName, ...fields }), (error, reply) => {
      if (own !== era) return
      if (!error) return done(reply as Joined)
      if (error.code === 'offline') return
      isAsked = false
      if (!error.again || error.code === 'channel_full') return close(error)
      retry.start(error.retryAfterMs ?? RETRY)
    })
  }

  function begin (joined: Joined, after?: number): void {
    const page = joined.messages.filter(entry => entry.type === 'message').map(toMessage)
    history.begin(page, headOf(joined), after)
    live(joined, true)
  }

  function resume (joined: Joined, missed: Entry[]): void {
    for (const entry of missed) if (history.apply(entry)) onEntry(entry)
    history.confirm(headOf(joined))
    live(joined, false)
  }

  function live (joined: Joined, isAnew: boolean): void {
    phase = 'live'
    onJoined(joined, isAnew)
    onChange()
    sync()
  }

  function close (error: ParleyError): void {
    era++
    isAsked = false
    retry.stop()
    phase = 'closed'
    onLeft(error)
    onChange()
  }

  /** Waits until the turn is over, so that who closes and opens at once, as React's StrictMode does, stays subscribed [C10]. */
  function leaveLater (): void {
    if (isLeaving || phase === 'idle') return
    isLeaving = true
    queueMicrotask(() => {
      isLeaving = false
      if (!isWanted()) reset()
    })
  }

  /** Ends the subscription on this connection, and forgets what was shown. */
  function reset (): void {
    if (isAsked) link.write(textOf('unsubscribe_channel', { channel: channelName }))
    forget()
    onLeft()
  }

  function forget (): void {
    era++
    isAsked = false
    retry.stop()
    history.clear()
    phase = 'idle'
    onChange()
  }

  return {
    get phase () { return phase },
    sync,
    close,

    /** Somebody opens the channel: tries again what has ended. */
    reopen (): void {
      if (phase === 'closed') phase = 'idle'
      sync()
    },

    /** A frame of the channel's stream came. */
    receive (entry: Entry): void {
      // The reply to a join covers what comes before it.
      if (phase !== 'live' || entry.seq <= history.head!.seq) return
      if (history.apply(entry)) {
        onEntry(entry)
        onChange()
      } else {
        // An entry is missing, which the server never lets happen. The resume brings it.
        isAsked = false
        sync()
      }
    },

    /**
     * A frame of an unknown type came. It may be an entry of the stream, which counts; all entries have these fields. If one before it is
     * missing, the next known entry will show that.
     */
    receiveUnknown (frame: Partial<Entry>): void {
      if (phase === 'live' && frame.id && frame.user_id && frame.seq === history.head!.seq + 1) history.apply(frame as Entry)
    },

    /** The connection is lost. */
    offline (): void {
      era++
      isAsked = false
      if (phase !== 'idle') sync()
    },

    /** Another user has logged in. */
    forget,

    stop: retry.stop
  }
}

function headOf ({ channel_id: channelId, seq, last_id: id }: Joined): Head {
  return { channelId, seq, id }
}

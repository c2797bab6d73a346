import { textOf } from './calls.ts'
import type { ChannelDetails, ChannelOptions, ChannelState } from './channel-state.ts'
import { ParleyError, type ErrorDetails } from './errors.ts'
import { CHANGES, createHistory } from './history.ts'
import type { Link } from './link.ts'
import { createModerate, type Moderate } from './moderate.ts'
import { createOutbox, type SendOptions } from './outbox.ts'
import { createPages } from './pages.ts'
import { createPresence, type Presence } from './presence.ts'
import { createView, type Readable } from './readable.ts'
import { createReceiver } from './receiver.ts'
import { createSubscription } from './subscription.ts'
import { createReaders, type Readers } from './readers.ts'
import { createReading } from './reading.ts'
import { createTyping } from './typing.ts'
import type { Entry, Json, Message, Receipt, Reply } from './wire.ts'

const DEFAULT_HISTORY = 50
const DEFAULT_WINDOW = 1000

/** A channel. There is one object for each name. */
export interface Channel extends Readable<ChannelState> {
  readonly name: string
  /** Joins the channel, and keeps it joined until the returned function is called. The last end of several leaves nothing. */
  open (): () => void
  /** Sends a message. It shows in `outbox` at once, and resolves when it is stored. @throws ParleyError if it was refused for good. */
  send (text: string, options?: SendOptions): Promise<Receipt>
  /** Sends a message anew that has failed, with the same `client_id`, so that it is never stored twice. */
  resend (clientId: string): Promise<Receipt>
  /** Drops a message that has failed, or that has not been sent yet. */
  discard (clientId: string): void
  edit (id: string, text: string): Promise<Reply<'edit_message'>>
  remove (id: string): Promise<Reply<'delete_message'>>
  /** Adds a reaction to a message, or takes it back. A repeated call succeeds without effect. */
  react (id: string, reaction: string, on?: boolean): Promise<Reply<'add_reaction'>>
  /**
   * Loads up to `count` (50, at most 100) messages at the upper end of the gap, or before the first message if there is no gap or if
   * `where` is `start`. @returns how many were added.
   */
  older (count?: number, where?: 'gap' | 'start'): Promise<number>
  /** Loads up to `count` (50, at most 100) messages at the lower end of the gap. @returns how many were added, 0 without a gap. */
  newer (count?: number): Promise<number>
  /** Shows a message with those around it, also if it is far above the others: then there is a gap between them. */
  around (id: string): Promise<void>
  /** Tells the others in the channel of something that is not kept. Dropped without a connection, and beyond 8 a second. */
  signal (event: string, data?: Json): void
  /** Says that this user is typing, or has stopped. Call it for every key: it is said every 3 s at most. */
  typing (on?: boolean): void
  /**
   * Marks the channel as read up to this `seq`, or up to its last entry. It shows at once, in `inbox` too, and needs neither `open()` nor a
   * connection: it is told to the server as soon as there is one. A position never falls.
   */
  markRead (seq?: number): void
  /** Ends the membership. */
  leave (): Promise<void>
  readonly presence: Readable<Presence>
  /** Up to where the others have read, in small channels. It is read while somebody subscribes to it and the channel is open. */
  readonly readers: Readable<Readers>
  readonly moderate: Moderate
}

export type ChannelControl = ReturnType<typeof createChannel>

/** Creates a channel, with the functions by which the client hands it frames and the state of the connection. */
export function createChannel (
  link: Link, name: string, { history: pageSize = DEFAULT_HISTORY, window = DEFAULT_WINDOW, presence: mode = 'list' }: ChannelOptions
) {
  const { calls } = link
  let opened = 0
  let details: ChannelDetails | undefined
  let error: ParleyError | undefined
  const view = createView(snapshot, link.onFault)
  const isLive = (): boolean => subscription.phase === 'live'
  const onChange = (): void => {
    link.inbox.changed(name)
    view.changed()
  }
  const history = createHistory(window)
  const outbox = createOutbox({
    link,
    channelName: name,
    isOpen: isLive,
    headSeq: () => history.head?.seq ?? 0,
    onChange () {
      onChange()
      link.outboxChanged()
      // A channel that nobody has opened is left when its last message is stored.
      subscription.sync()
    }
  })
  const typing = createTyping({
    clock: link.clock,
    onChange,
    send (event, data) {
      if (isLive()) link.write(textOf('signal', { channel: name, event, data }))
    }
  })
  const presence = createPresence(link, name, mode)
  const reading = createReading({ link, channelName: name, history, isLive, onChange })
  const readers = createReaders(link, name, isLive)
  const pages = createPages({
    rest: link.rest, channelName: name, history, onChange, isResuming: () => subscription.phase === 'resuming'
  })
  const subscription = createSubscription({
    link, channelName: name, history, pageSize, onChange, onEntry,
    isWanted: () => opened > 0 || outbox.isWaiting,
    onJoined (joined, isAnew) {
      const { channel, seq, last_id, recovered, messages, ...rest } = joined
      details = rest
      error = undefined
      // Messages of a new page may be this user's own, whose replies were lost.
      if (isAnew) for (const message of history.list()) settle(message)
      outbox.caughtUp()
      reading.joined(joined)
      if (!reading.isCovered()) link.inbox.ask(name)
      presence.start()
      readers.start()
      outbox.flush()
    },
    onLeft (reason) {
      error = reason
      reading.close()
      quiet()
      if (reason) outbox.refuse(reason)
    }
  })

  function snapshot (): ChannelState {
    const { gap } = history
    return {
      state: subscription.phase,
      messages: history.list(),
      outbox: outbox.list(),
      ...gap && { gap },
      hasOlder: history.hasOlder,
      readTo: reading.readTo,
      unread: reading.unread,
      typing: typing.list(),
      ...details && { details },
      ...error && { error }
    }
  }

  /** Nothing is heard of the others any more. */
  function quiet (): void {
    presence.stop()
    readers.stop()
    typing.clear()
  }

  function settle (message: Message): void {
    if (message.client_id !== undefined && link.isMine(message.user_id)) outbox.arrived(message)
  }

  function onEntry (entry: Entry): void {
    if (entry.type !== 'message') return
    settle(entry)
    if (link.isMine(entry.user_id)) reading.raise(entry.seq)
    typing.stopped(entry.user_id)
  }

  function ended (code: 'not_in_channel' | 'banned' | 'channel_not_found', more?: ErrorDetails): void {
    subscription.close(new ParleyError(code, code, undefined, more))
  }

  function reopen (): void {
    error = undefined
    subscription.reopen()
  }

  function place (change: Partial<ChannelDetails['me']>): void {
    if (!details) return
    details = { ...details, me: { ...details.me, ...change } }
    onChange()
  }

  /** The functions that handle frames about the channel, by type. */
  const receive = createReceiver({
    ...Object.fromEntries(['message', ...CHANGES].map(type => [type, subscription.receive])),
    signal: typing.received,
    read_marker: ({ seq }) => reading.raise(seq),
    user_read (notice) {
      if (link.isMine(notice.user_id)) reading.raise(notice.seq)
      else readers.notice(notice)
    },
    user_joined: notice => presence.notice(notice, true),
    user_left: notice => presence.notice(notice, false),
    channel_updated ({ channel, timestamp, ...settings }) {
      if (!details) return
      details = { ...details, ...settings }
      onChange()
    },
    muted_in_channel: ({ expires_at: until }) => place({ muted_until: until }),
    unmuted_in_channel: () => place({ muted_until: null }),
    kicked_from_channel: () => ended('not_in_channel', { isKicked: true }),
    channel_left: () => ended('not_in_channel'),
    banned_from_channel: ({ reason, expires_at: expiresAt }) => ended('banned', { reason, expiresAt }),
    unbanned_from_channel () {
      if (error?.code === 'banned') ended('not_in_channel')
    },
    channel_deleted: () => ended('channel_not_found')
  })

  const channel: Channel = {
    name,
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    open () {
      opened++
      reopen()
      let isOpen = true
      return () => {
        if (!isOpen) return
        isOpen = false
        opened--
        subscription.sync()
      }
    },
    send (text, options) {
      typing.sent()
      const result = outbox.send(text, options)
      if (error) outbox.refuse(error)
      return result
    },
    resend (clientId) {
      const result = outbox.resend(clientId)
      reopen()
      return result
    },
    discard: outbox.discard,
    edit: (id, text) => calls.request('edit_message', { channel: name, id, message: text }),
    remove: id => calls.request('delete_message', { channel: name, id }),
    react: (id, reaction, on = true) => calls.request(on ? 'add_reaction' : 'remove_reaction', { channel: name, id, reaction }),
    older: pages.older,
    newer: pages.newer,
    around: pages.around,
    signal: typing.signal,
    typing: (on = true) => typing.say(on),
    markRead: reading.mark,
    async leave () {
      await calls.request('leave_channel', { channel: name })
      ended('not_in_channel')
    },
    presence: presence.presence,
    readers: readers.readers,
    moderate: createModerate(link, name)
  }

  return {
    channel,

    receive (frame: { type: string }): boolean {
      const isKnown = receive(frame)
      if (!isKnown) subscription.receiveUnknown(frame as Partial<Entry>)
      return isKnown
    },

    isLive,
    refine: reading.refine,
    /** The list of channels says something new of this one. */
    listed: view.changed,

    online (): void {
      subscription.sync()
      reading.flush()
    },
    offline (): void {
      subscription.offline()
      reading.stop()
      quiet()
    },

    /** Another user has logged in: nothing of the earlier one stays. */
    forget (reason: ParleyError): void {
      outbox.clear(reason)
      details = error = undefined
      reading.forget()
      subscription.forget()
    },

    /** The guest has become another guest, so that what may be stored already must not be sent again. */
    disown (): void {
      outbox.disown()
      reading.forget()
    },

    /** Messages of an earlier visit or of another tab are in the hand of this client now. `areAll`: all that are. */
    restore: outbox.restore,
    /** Sends what waits, as far as the channel is open. */
    flush: outbox.flush,

    /** Stops all timers. */
    stop (): void {
      reading.stop()
      subscription.stop()
      outbox.stop()
    }
  }
}

import { createChannelList, type ChannelListDeps, type InboxChannel } from './channel-list.ts'
import { createInvitations, type Invitation } from './invitations.ts'
import { createView, type Readable } from './readable.ts'
import type { RestClient } from './rest.ts'
import type { Me, Notices, Requests } from './wire.ts'

/** Requests that may change the inbox without a notice to the connection that makes them. */
const CHANGES: ReadonlyArray<keyof Requests> = [
  'create_channel', 'delete_channel', 'leave_channel', 'open_direct', 'decline_invitation', 'block_user', 'unblock_user'
]

/** The user's channels. A snapshot is immutable, and so are its parts, which stay the same objects until they change. */
export interface Inbox {
  /** `idle`: nobody has subscribed yet. `loading`: it is being read, and shows what was known before. */
  state: 'idle' | 'loading' | 'live'
  /** Those with the newest messages first, at most 1000 together with `directs`. */
  channels: readonly InboxChannel[]
  /** Direct channels, in the same order; `peer` is the other user. */
  directs: readonly InboxChannel[]
  invitations: readonly Invitation[]
}

/** The inbox. It is read when somebody subscribes, and from then on follows what happens, over all connections. */
export interface InboxView extends Readable<Inbox> {
  /** Reads it anew. Only what was changed over REST needs that. */
  refresh (): void
}

export interface InboxDeps extends Pick<ChannelListDeps, 'clock' | 'calls' | 'isOnline' | 'isOpen' | 'refine'> {
  rest: RestClient
  me (): Me | undefined
  onFault (error: unknown): void
  /** The list says something new of this channel. */
  onRow (channelName: string): void
  /** Authenticates the connection again, which calls `takeActivity`. */
  authenticateAnew (): void
}

/** Creates the inbox, with what the rest of the client tells it. It follows the server's notices, and what open channels know. */
export function createInbox ({ rest, me, onFault, onRow, authenticateAnew, ...deps }: InboxDeps) {
  const view = createView(snapshot, onFault)
  const invitations = createInvitations({ clock: deps.clock, rest, me, onFault, onChange: view.changed })
  let listeners = 0
  let isUsed = false
  /** Whether the connection tells of new messages. `asking`: it is going to be authenticated again for that. */
  let activity: 'off' | 'asking' | 'on' = 'off'
  const list = createChannelList({
    ...deps,
    isWanted: () => listeners > 0,
    onChange (names) {
      view.changed()
      names.forEach(onRow)
    }
  })

  function snapshot (): Inbox {
    const shown = isUsed ? list.all().sort(byNewest) : []
    return {
      state: !isUsed ? 'idle' : list.isWhole ? 'live' : 'loading',
      channels: shown.filter(({ channel_type: type }) => type !== 'direct'),
      directs: shown.filter(({ channel_type: type }) => type === 'direct'),
      invitations: invitations.list().filter(({ channel }) => !list.find(channel))
    }
  }

  /** Reads what is outdated. The list is read after the frame that asks for activity, so that no message is missed between them. */
  function load (): void {
    if (!deps.isOnline() || activity === 'asking') return
    if (listeners > 0 && activity === 'off') {
      activity = 'asking'
      return authenticateAnew()
    }
    if (listeners > 0) invitations.load()
    list.load()
  }

  function refresh (): void {
    list.outdate()
    invitations.outdate()
    load()
  }

  /** The user is neither a member of the channel any more, nor invited to it. */
  function ended ({ channel }: { channel: string }): void {
    invitations.drop(channel)
    list.drop(channel)
    view.changed()
  }

  /** The functions that handle frames, by type. */
  const handlers: { [K in keyof Notices]?: (notice: Notices[K]) => void } = {
    channel_activity ({ channel, seq }) {
      if (seq <= (list.find(channel)?.last_seq ?? 0)) return
      if (listeners > 0) list.hear(channel, seq)
      else list.outdate()
    },
    read_marker: ({ channel, seq }) => list.mark(channel, seq),
    channel_updated ({ channel, channel_type, topic }) {
      const row = list.find(channel)
      if (row) list.replace({ ...row, channel_type, topic })
    },
    direct_opened () {
      list.outdate()
      load()
    },
    invited_to_channel () {
      invitations.outdate()
      load()
    },
    kicked_from_channel: ended,
    banned_from_channel: ended,
    channel_left: ended,
    channel_deleted: ended
  }

  const inbox: InboxView = {
    getSnapshot: view.getSnapshot,
    subscribe (listener) {
      let stop: (() => void) | undefined = view.subscribe(listener)
      listeners++
      isUsed = true
      view.changed()
      load()
      return () => {
        if (!stop) return
        stop()
        stop = undefined
        listeners--
      }
    },
    refresh
  }

  return {
    inbox,

    /** What the list says of a channel. */
    find: list.find,

    /** Reads the row of a channel that does not know by itself how many messages are unread. */
    ask (channelName: string): void {
      if (listeners === 0 || list.isWhole) list.hear(channelName)
    },

    /** A channel that this client knows has changed. */
    changed (channelName: string): void {
      const row = list.find(channelName)
      if (row) list.replace(row)
      else if (listeners > 0 && list.isWhole && deps.isOpen(channelName)) list.hear(channelName)
    },

    /** A request is made. If it changes the inbox, that is read anew after it. */
    asked (type: keyof Requests, reply: Promise<unknown>): void {
      if (CHANGES.includes(type)) reply.then(refresh, () => {})
    },

    /** Returns what the frame that authenticates the connection says of activity: that it is wanted, or nothing. */
    takeActivity (): true | undefined {
      if (listeners > 0 && activity !== 'on') {
        activity = 'on'
        queueMicrotask(load)
      }
      return activity === 'on' || undefined
    },

    receive (frame: { type: string }): boolean {
      if (!Object.hasOwn(handlers, frame.type)) return false
      const handle = handlers[frame.type as keyof Notices] as (frame: unknown) => void
      handle(frame)
      return true
    },

    online: load,

    offline (): void {
      activity = 'off'
      list.stop()
      invitations.outdate()
      view.changed()
    },

    /** Another user has logged in: nothing of the earlier one stays. */
    forget (): void {
      list.stop()
      list.clear()
      invitations.forget()
      view.changed()
    }
  }
}

function byNewest (a: InboxChannel, b: InboxChannel): number {
  const [first, second] = [a.last_message_at ?? '', b.last_message_at ?? '']
  if (first !== second) return first < second ? 1 : -1
  return a.name < b.name ? -1 : 1
}

import { createChannelList, type ChannelListDeps, type InboxChannel } from './channel-list.ts'
import { createLoader } from './loader.ts'
import { createView, type Readable } from './readable.ts'
import { createReceiver } from './receiver.ts'
import type { RestClient } from './rest.ts'
import type { Me, Requests, Routes } from './wire.ts'

/** Requests that may change the inbox without a notice to the connection that makes them. */
const CHANGES: ReadonlyArray<keyof Requests> = [
  'create_channel', 'delete_channel', 'leave_channel', 'open_direct', 'decline_invitation', 'block_user', 'unblock_user'
]

/** Most invitations that are read. A user has no more, unless the server is configured so [P57]. */
const MAX_INVITATIONS = 100

/** An invitation that the user has neither used nor declined. */
export type Invitation = Readonly<Routes['GET /api/me/invitations']['answer']['invitations'][number]>

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
  const view = createView(snapshot, onFault, onListener)
  let isUsed = false
  let invitations: readonly Invitation[] = []
  /** Whether the connection tells of new messages. `asking`: it is going to be authenticated again for that. */
  let activity: 'off' | 'asking' | 'on' = 'off'
  const isWanted = (): boolean => view.isWatched
  const list = createChannelList({
    ...deps, isWanted,
    onChange (names) {
      view.changed()
      names.forEach(onRow)
    }
  })
  const loader = createLoader({
    clock: deps.clock, isWanted, onFault,
    async read (signal) {
      // Guests, who have no handle, are invited to nothing.
      if (me()?.handle === null) return []
      return (await rest('GET /api/me/invitations', { query: { limit: MAX_INVITATIONS } }, { signal })).invitations
    },
    show (found: readonly Invitation[]) {
      invitations = found
      view.changed()
    }
  })

  function snapshot (): Inbox {
    const shown = isUsed ? list.all().sort(byNewest) : []
    return {
      state: !isUsed ? 'idle' : list.isWhole ? 'live' : 'loading',
      channels: shown.filter(({ channel_type: type }) => type !== 'direct'),
      directs: shown.filter(({ channel_type: type }) => type === 'direct'),
      invitations: invitations.filter(({ channel }) => !list.find(channel))
    }
  }

  /** Reads what is outdated. The list is read after the frame that asks for activity, so that no message is missed between them. */
  function load (): void {
    if (!deps.isOnline() || activity === 'asking') return
    if (isWanted() && activity === 'off') {
      activity = 'asking'
      return authenticateAnew()
    }
    loader.load()
    list.load()
  }

  function refresh (): void {
    list.outdate()
    loader.outdate()
    load()
  }

  /** The user is neither a member of the channel any more, nor invited to it. */
  function ended ({ channel }: { channel: string }): void {
    invitations = invitations.filter(invitation => invitation.channel !== channel)
    list.drop(channel)
    view.changed()
  }

  /** The functions that handle frames, by type. */
  const receive = createReceiver({
    channel_activity ({ channel, seq }) {
      if (seq <= (list.find(channel)?.last_seq ?? 0)) return
      if (isWanted()) list.hear(channel, seq)
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
      loader.outdate()
      load()
    },
    kicked_from_channel: ended,
    banned_from_channel: ended,
    channel_left: ended,
    channel_deleted: ended
  })

  function onListener (): void {
    isUsed = true
    view.changed()
    load()
  }

  const inbox: InboxView = {
    getSnapshot: view.getSnapshot,
    subscribe: view.subscribe,
    refresh
  }

  return {
    inbox,

    /** Returns the row of a channel in the list. */
    find: list.find,

    /** Reads the row of a channel that does not know by itself how many messages are unread. */
    ask (channelName: string): void {
      if (!isWanted() || list.isWhole) list.hear(channelName)
    },

    /** A channel that this client knows has changed. */
    changed (channelName: string): void {
      const row = list.find(channelName)
      if (row) list.replace(row)
      // This user has joined it just now, which no other client does at the same moment.
      else if (isWanted() && list.isWhole && deps.isOpen(channelName)) list.hear(channelName, 0, 0, 0)
    },

    /** A request is made. If it changes the inbox, that is read anew after it. */
    asked (type: keyof Requests, reply: Promise<unknown>): void {
      if (CHANGES.includes(type)) reply.then(refresh, () => {})
    },

    /** Returns what the frame that authenticates the connection says of activity: that it is wanted, or nothing. */
    takeActivity (): true | undefined {
      if (isWanted() && activity !== 'on') {
        activity = 'on'
        queueMicrotask(load)
      }
      return activity === 'on' || undefined
    },

    receive,
    online: load,

    offline (): void {
      activity = 'off'
      list.stop()
      loader.outdate()
      view.changed()
    },

    /** Another user has logged in: nothing of the earlier one stays. */
    forget (): void {
      list.stop()
      list.clear()
      loader.outdate()
      invitations = []
      view.changed()
    }
  }
}

function byNewest (a: InboxChannel, b: InboxChannel): number {
  const [first, second] = [a.last_message_at ?? '', b.last_message_at ?? '']
  if (first !== second) return first < second ? 1 : -1
  return a.name < b.name ? -1 : 1
}

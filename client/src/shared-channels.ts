import { createTimer, type Clock, type Timer } from './clock.ts'
import type { Entry, Reply } from './wire.ts'

type Joined = Reply<'join_channel'>
/** A frame of the server, with the fields that matter here. */
export interface Frame {
  type: string
  ref?: number | string
  channel?: string
  id?: string
  seq?: number
  user_id?: string
  timestamp?: string
  data?: unknown
}

/** Whether a frame is an entry of a channel's stream, also one of a type that this client does not know. All entries have these fields. */
export function isEntry (frame: Frame): frame is Frame & Required<Pick<Frame, 'id' | 'seq'>> {
  return !!frame.id && !!frame.user_id && frame.seq !== undefined
}

/** Milliseconds between two hints of activity in a channel [P44]. */
const ACTIVITY_INTERVAL = 1000

interface Channel {
  /** The channel's id and the place of the stream, once one tab is live. */
  id?: string
  seq: number
  lastId: string | null
  /** The tabs that want the channel. True: live, the tab has got the reply to its join. */
  tabs: Map<SharedTab, boolean>
  /** The worker is reading entries that the tabs have missed. */
  isSyncing: boolean
  activity: Timer
  /** The newest message of which the other tabs have not been told. */
  news?: Frame | undefined
}

/** A tab, as the channels see it. */
export interface SharedTab {
  wantsActivity: boolean
  post (text: string): void
  /** Ends the tab's connection: it comes back and resumes. */
  lose (reason: string): void
}

/**
 * Counts the subscriptions of one connection by tab [C9], and hands the streams of channels to the tabs that are live in them. `request`
 * makes a request of the worker's own, `others` lists all tabs.
 */
export function createSharedChannels ({ clock, request, others }: {
  clock: Clock
  request (frame: object, done?: (frame: Frame) => void): void
  others (): Iterable<SharedTab>
}) {
  const channels = new Map<string, Channel>()

  function forget (name: string, channel: Channel): void {
    channel.activity.stop()
    channels.delete(name)
  }

  function liveIn (channel: Channel, except?: SharedTab): SharedTab[] {
    return [...channel.tabs].filter(([tab, isLive]) => isLive && tab !== except).map(([tab]) => tab)
  }

  function want (tab: SharedTab, name: string): void {
    let channel = channels.get(name)
    if (!channel) {
      const activity = createTimer(clock, () => tellNews(name))
      channels.set(name, channel = { seq: 0, lastId: null, tabs: new Map(), isSyncing: false, activity })
    }
    if (!channel.tabs.has(tab)) channel.tabs.set(tab, false)
  }

  /** The last tab that lets go of a channel ends the subscription. */
  function release (tab: SharedTab, name: string): void {
    const channel = channels.get(name)
    if (!channel?.tabs.delete(tab) || channel.tabs.size > 0) return
    forget(name, channel)
    request({ type: 'unsubscribe_channel', channel: name })
  }

  /**
   * The tab has got the reply to its join. The server does not send again what the reply covers, not even to tabs that were live before
   * and do not read the reply: they get it from there if it has it, otherwise by a join of the worker's own.
   */
  function joined (tab: SharedTab, { channel: name, channel_id: id, seq, last_id: lastId, recovered, messages }: Joined): void {
    const channel = channels.get(name)
    if (!channel?.tabs.has(tab)) return
    channel.tabs.set(tab, true)
    let live = liveIn(channel, tab)
    if (channel.id !== undefined && channel.id !== id) {
      // The channel is another one, and the server has ended the subscription to the earlier one without a word.
      for (const other of live) {
        channel.tabs.delete(other)
        other.post(JSON.stringify({ type: 'channel_deleted', channel: name, timestamp: new Date(clock.now()).toISOString() }))
      }
      live = []
    }
    if (live.length === 0) Object.assign(channel, { id, seq, lastId, isSyncing: false })
    else if (!channel.isSyncing && !pass(channel, live, seq, recovered ? messages : [])) sync(name, channel)
  }

  /** Gives the tabs the entries up to `seq` that they have not got. @returns whether `entries` has them all. */
  function pass (channel: Channel, tabs: SharedTab[], seq: number, entries: Entry[]): boolean {
    const missed = entries.filter(entry => entry.seq > channel.seq)
    if (missed.length !== Math.max(0, seq - channel.seq)) return false
    for (const entry of missed) {
      channel.seq = entry.seq
      channel.lastId = entry.id
      for (const tab of tabs) tab.post(JSON.stringify(entry))
    }
    return true
  }

  /** Reads what the tabs have missed. Until then the stream is dropped: the reply has it, too. */
  function sync (name: string, channel: Channel): void {
    const { id, seq, lastId } = channel
    channel.isSyncing = true
    const since = { since: seq, channel_id: id, ...(lastId !== null || seq === 0) && { since_id: lastId } }
    request({ type: 'join_channel', channel: name, ...since }, ({ type, data }) => {
      if (channels.get(name) !== channel || !channel.isSyncing) return
      channel.isSyncing = false
      const tabs = liveIn(channel)
      const reply = type === 'success' ? data as Joined : undefined
      if (reply?.recovered && pass(channel, tabs, reply.seq, reply.messages)) return
      for (const tab of tabs) tab.lose('the stream has a gap')
    })
  }

  function tellNews (name: string): void {
    const channel = channels.get(name)
    if (!channel?.news) return
    const { seq, timestamp } = channel.news
    channel.news = undefined
    channel.activity.start(ACTIVITY_INTERVAL)
    const hint = JSON.stringify({ type: 'channel_activity', channel: name, seq, timestamp })
    for (const tab of others()) if (tab.wantsActivity && !channel.tabs.has(tab)) tab.post(hint)
  }

  return {
    want,
    release,
    joined,

    /** The server has refused the tab's join. */
    refused (tab: SharedTab, name: string): void {
      if (channels.get(name)?.tabs.get(tab) === false) release(tab, name)
    },

    /** The tab has ended, or its connection has. */
    releaseAll (tab: SharedTab): void {
      for (const name of [...channels.keys()]) release(tab, name)
    },

    isLive: (tab: SharedTab, name: string): boolean => channels.get(name)?.tabs.get(tab) === true,

    /** A frame that only subscribers get. */
    receive (frame: Frame, text: string): void {
      const { type, channel: name = '' } = frame
      const channel = channels.get(name)
      if (!channel) return
      if (isEntry(frame)) {
        if (channel.isSyncing) return
        channel.seq = frame.seq
        channel.lastId = frame.id
      }
      for (const tab of liveIn(channel)) tab.post(text)
      if (type !== 'message') return
      channel.news = frame
      if (!channel.activity.isRunning) tellNews(name)
    },

    /** The server has ended the subscription. */
    ended (name: string): void {
      const channel = channels.get(name)
      if (channel) forget(name, channel)
    },

    /** The connection is lost. */
    clear (): void {
      for (const [name, channel] of channels) forget(name, channel)
    }
  }
}

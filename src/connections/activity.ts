import type { Broker, BusEvent } from '../broker/broker.ts'
import { createPacer } from '../pacer.ts'
import type { Entry } from '../schemas/message.ts'
import type { ActivityStore, OwnChannel } from '../store/activity.ts'
import { encode } from './frames.ts'
import type { Session } from './session.ts'

/** Milliseconds between two times at which this instance tells the others of new messages, and its connections of channels, at least. */
const INTERVAL_MS = 1000
/** Channels that one message on the bus names, and members that one statement looks up, at most. */
const CHANNELS_PER_EVENT = 1000
const MEMBERS_PER_QUERY = 5000
/** Channels with news that may wait. The news of further ones are dropped: they are hints. */
const MAX_WAITING = 100_000
/** Milliseconds after which a user's channels are read again, because the bus may have lost that they joined one. */
const REFRESH_MS = 60_000
/** Milliseconds between two such reads, at least, and users whose channels one of them reads at most. */
const REFRESH_INTERVAL_MS = 250
const USERS_AT_ONCE = 500

/** A user with connections that asked for activity, and the channels that they were a member of when these were read. */
interface Watcher { sessions: Set<Session>, channels: Set<string>, readAt: number }

/** A channel with members who asked for activity and are connected to this instance. */
interface WatchedChannel { name: string, users: Set<string> }

export type Activity = ReturnType<typeof createActivity>

/**
 * Tells connections that asked for it of new messages in channels that their users are members of, and that they are not subscribed to
 * themselves [P44].
 *
 * Each instance names the channels with new messages at most once a second, in one message on the bus, which only reaches instances with
 * connections that asked. There the database says who is still a member, in one statement a second at most. So the cost depends neither on
 * the number of messages nor on how many members a channel has elsewhere.
 */
export function createActivity ({ broker, heardBy, channelsOf, onFault }: Pick<ActivityStore, 'heardBy'> & {
  broker: Broker
  /** Lists the channels that a user is a member of. */
  channelsOf (userId: string): Promise<OwnChannel[]>
  onFault (error: unknown): void
}) {
  /** The `seq` of the newest message of each channel that the other instances have not been told of. */
  const fresh = new Map<string, number>()
  /** The same, for channels that this instance's connections have not been told of. */
  const heard = new Map<string, number>()
  const watchers = new Map<string, Watcher>()
  const channels = new Map<string, WatchedChannel>()

  const announcer = createPacer(INTERVAL_MS, announce)
  const teller = createPacer(INTERVAL_MS, async () => {
    await tell().catch(onFault)
    if (heard.size > 0) teller.ask()
  })
  const refresher = createPacer(REFRESH_INTERVAL_MS, () => refresh().catch(onFault))
  const timer = setInterval(() => { if (watchers.size > 0) refresher.ask() }, REFRESH_MS / 10).unref()

  function announce (): void {
    const news = [...fresh].map(([id, seq]) => ({ id, seq }))
    fresh.clear()
    for (let from = 0; from < news.length; from += CHANNELS_PER_EVENT) {
      const action = { type: 'channels_active' as const, channels: news.slice(from, from + CHANNELS_PER_EVENT) }
      broker.publish('activity', { kind: 'control', action })
    }
  }

  /** Sends what was heard to those who are still members. Rights are judged by the statement that reads [P55]. */
  async function tell (): Promise<void> {
    const told: Array<{ id: string, name: string, userId: string, seq: number }> = []
    for (const [id, seq] of heard) {
      if (told.length >= MEMBERS_PER_QUERY) break
      heard.delete(id)
      const channel = channels.get(id)
      if (!channel) continue
      const { name, users } = channel
      for (const userId of users) if (listeners(userId, id, name).length > 0) told.push({ id, name, userId, seq })
    }
    if (told.length === 0) return
    const answers = await heardBy(told.map(({ id }) => id), told.map(({ userId }) => userId))
    const frames = new Map<string, Buffer>()
    for (const [i, { id, name, userId, seq }] of told.entries()) {
      const answer = answers[i]
      if (!answer) {
        forget(userId, id)
        continue
      }
      // A membership has begun in a channel in which nobody has said anything.
      if (answer.lastSeq === 0) continue
      const frame = frames.get(id) ?? encode({
        type: 'channel_activity',
        channel: name,
        seq: Math.min(seq, answer.lastSeq),
        timestamp: (answer.lastMessageAt ?? new Date()).toISOString()
      })
      frames.set(id, frame)
      // Like a signal, activity is dropped where a client does not keep up.
      for (const session of listeners(userId, id, name)) session.signal(frame)
    }
  }

  /** The connections of the user that asked for activity and are not subscribed to the channel. */
  function listeners (userId: string, channelId: string, name: string): Session[] {
    return [...watchers.get(userId)?.sessions ?? []].filter(session => session.subscriptions.get(name)?.id !== channelId)
  }

  /** Reads which channels the user is a member of. @returns the ids of those that were not known. */
  async function read (userId: string): Promise<string[]> {
    const readAt = performance.now()
    const own = await channelsOf(userId)
    const watcher = watchers.get(userId)
    if (!watcher) return []
    const begun = own.map(({ id }) => id).filter(id => !watcher.channels.has(id))
    watcher.readAt = Math.max(watcher.readAt, readAt)
    const ids = new Set(own.map(({ id }) => id))
    for (const id of watcher.channels) if (!ids.has(id)) forget(userId, id)
    for (const { id, name } of own) {
      watcher.channels.add(id)
      const channel = channels.get(id)
      if (channel) channel.users.add(userId)
      else channels.set(id, { name, users: new Set([userId]) })
    }
    return begun
  }

  /** Reads the channels of users for whom that is due. What came in new ones before they were known is told now. */
  async function refresh (): Promise<void> {
    const due: string[] = []
    const before = performance.now() - REFRESH_MS
    for (const [userId, { readAt }] of watchers) {
      if (readAt > before) continue
      due.push(userId)
      if (due.length === USERS_AT_ONCE) {
        refresher.ask()
        break
      }
    }
    // The newest message is read when it is told.
    for (const id of (await Promise.all(due.map(read))).flat()) heard.set(id, Infinity)
    if (heard.size > 0) teller.ask()
  }

  function forget (userId: string, channelId: string): void {
    watchers.get(userId)?.channels.delete(channelId)
    const channel = channels.get(channelId)
    if (channel?.users.delete(userId) && channel.users.size === 0) channels.delete(channelId)
  }

  return {
    /** Notes new entries of a channel that this instance has stored. Only messages are activity. */
    stored (channelId: string, entries: Entry[]): void {
      for (let i = entries.length - 1; i >= 0; i--) {
        if (entries[i]!.type !== 'message') continue
        if (fresh.size >= MAX_WAITING) return
        fresh.set(channelId, entries[i]!.seq)
        announcer.ask()
        return
      }
    },

    /** Tells this connection of activity from now on. Resolves once its user's channels are known, or could not be read: then later. */
    async watch (session: Session): Promise<void> {
      const userId = session.userId!
      const watcher = watchers.get(userId) ?? { sessions: new Set(), channels: new Set(), readAt: -Infinity }
      watchers.set(userId, watcher)
      watcher.sessions.add(session)
      broker.subscribe('activity')
      await read(userId).catch(onFault)
    },

    /** Tells this connection of no activity any more. */
    unwatch (session: Session): void {
      const userId = session.userId
      const watcher = userId === undefined ? undefined : watchers.get(userId)
      if (!watcher?.sessions.delete(session) || watcher.sessions.size > 0) return
      for (const id of watcher.channels) forget(userId!, id)
      watchers.delete(userId!)
      if (watchers.size === 0) broker.unsubscribe('activity')
    },

    /** Takes what an instance has announced. It is a hint: the database has the last word on all of it [P60]. */
    receive (event: BusEvent): void {
      if (event.kind !== 'control') return
      const { action } = event
      if (action.type === 'channels_active') {
        for (const { id, seq } of action.channels) {
          if (channels.has(id)) heard.set(id, Math.max(seq, heard.get(id) ?? 0))
        }
        if (heard.size > 0) teller.ask()
      } else if (action.type === 'membership_began') {
        const watcher = watchers.get(action.userId)
        if (!watcher) return
        watcher.readAt = -Infinity
        refresher.ask()
      }
    },

    stop (): void {
      clearInterval(timer)
      for (const pacer of [announcer, teller, refresher]) pacer.stop()
    }
  }
}

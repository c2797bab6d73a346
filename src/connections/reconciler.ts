import type { Broker } from '../broker/broker.ts'
import type { ChannelVersion } from '../store/channels.ts'
import type { UserState } from '../store/users.ts'
import type { LocalChannel } from './channel.ts'
import { encode } from './frames.ts'
import type { Hub } from './hub.ts'

/** How often the database is asked what the bus may have lost, in milliseconds [P33]. */
const INTERVAL_MS = 2000
/** Hints of the bus are gathered for this long after a look at the database, in milliseconds: many hints are few queries. */
const HINT_INTERVAL_MS = 50
/** Changes this much older than the last check are looked at again: a transaction commits later than its time stamp. */
const OVERLAP_MS = 30_000
/** How long the bus may take to tell of a membership that ended. With `INTERVAL_MS`, within the 5 s of [P33]. */
const GRACE_MS = 1000
/** Channels, users or logins that one query asks of: for very many PostgreSQL would rather read the whole table. */
const ITEMS_PER_QUERY = 1000

interface Login { userId: string, sid: string }

export interface ReconcilerDeps {
  hub: Hub
  broker: Pick<Broker, 'connected'>
  /** The state of those of the channels that still exist. */
  versions (channelIds: string[]): Promise<ChannelVersion[]>
  membersAmong (channelId: string, userIds: string[]): Promise<Set<string>>
  states (userIds: string[]): Promise<UserState[]>
  /** Users who changed within the last so many milliseconds, by the database's clock. */
  changedWithin (ms: number): Promise<UserState[]>
  /** Users of whom logins have ended within the last so many milliseconds, by the database's clock. */
  loggedOutWithin (ms: number): Promise<string[]>
  /** For each login: its user, or null where it is over. */
  findLogins (logins: Login[]): Promise<Array<object | null>>
  onFault (error: unknown): void
}

/**
 * Holds this instance's connections and subscriptions against the database: the bus is only a hint, so whatever it lost (messages,
 * ended memberships, deletions, changed users, revocations) is found here within seconds, and whatever it says is confirmed here before it
 * has an effect [P60].
 */
export function createReconciler ({ hub, broker, onFault, ...store }: ReconcilerDeps) {
  let doubted = new Set<string>()
  let doubtedUsers = new Set<string>()
  /** Channels whose `aclVersion` was behind when it was last looked at, and since when. */
  const behindSince = new WeakMap<LocalChannel, number>()
  let checking = false
  /** A check of everything was due while another check ran. */
  let allDue = false
  let lastCheck = performance.now()
  /** No earlier than then is the database asked again because of hints. */
  let hintsFrom = 0
  let waiting: NodeJS.Timeout | undefined

  /** Only one check at a time: a slow database is not asked more and more. */
  async function check (all: boolean): Promise<void> {
    if (all) allDue = true
    if (checking) return
    checking = true
    let pause = HINT_INTERVAL_MS
    all = allDue
    allDue = false
    const [channels, users] = [doubted, doubtedUsers]
    doubted = new Set()
    doubtedUsers = new Set()
    if (all) for (const { id } of hub.channels()) channels.add(id)
    try {
      for (const part of parts([...channels])) await checkChannels(part)
      for (const part of parts([...users])) await checkUsers(part)
      if (all && hub.size > 0) await checkChanges()
    } catch (error) {
      // What was doubted is among what the next whole check looks at.
      pause = INTERVAL_MS
      onFault(error)
    } finally {
      checking = false
      hintsFrom = performance.now() + pause
    }
    if (allDue || doubted.size > 0 || doubtedUsers.size > 0) checkSoon()
  }

  function checkSoon (): void {
    // The check that runs looks for what has been doubted meanwhile when it ends.
    if (checking) return
    waiting ??= setTimeout(() => {
      waiting = undefined
      check(false)
    }, Math.max(0, hintsFrom - performance.now())).unref()
  }

  async function checkChannels (ids: string[]): Promise<void> {
    const claimed = ids.map(id => hub.channel(id)?.sequencer.claimed)
    const leaving = ids.map(id => [...hub.channel(id)?.leaving ?? []])
    const found = new Map((await store.versions(ids)).map(version => [version.id, version]))
    for (const [i, id] of ids.entries()) {
      const channel = hub.channel(id)
      // Subscribed to since: the version may be older than what it began with.
      if (!channel || claimed[i] === undefined) continue
      const version = found.get(id)
      if (!version) {
        hub.endChannel(channel, new Date().toISOString())
        continue
      }
      channel.sequencer.catchUp(version.lastSeq, claimed[i])
      if (isOverdue(channel, version.aclVersion)) await checkMembers(channel, version.aclVersion)
      for (const userId of leaving[i]!) {
        channel.leaving.delete(userId)
        for (const session of hub.sessionsOf(userId)) channel.release(session)
      }
    }
  }

  /**
   * A change that the bus has not told of yet may still be on its way; we act where it is late, where the bus is down, and where the bus
   * has told.
   */
  function isOverdue (channel: LocalChannel, aclVersion: number): boolean {
    if (aclVersion <= channel.aclVersion) {
      behindSince.delete(channel)
      return false
    }
    const now = performance.now()
    const since = behindSince.get(channel) ?? now
    behindSince.set(channel, since)
    return channel.leaving.size > 0 || !broker.connected || now - since >= GRACE_MS
  }

  async function checkMembers (channel: LocalChannel, aclVersion: number): Promise<void> {
    const asked = new Set(channel.subscribers().map(subscriber => subscriber.userId!))
    const members = await store.membersAmong(channel.id, [...asked])
    channel.aclVersion = Math.max(channel.aclVersion, aclVersion)
    behindSince.delete(channel)
    const frame = encode({ type: 'channel_left', channel: channel.name, timestamp: new Date().toISOString() })
    const isGone = (userId: string): boolean => asked.has(userId) && !members.has(userId)
    for (const session of hub.endSubscriptions(channel, aclVersion, isGone)) {
      if (!channel.leaving.has(session.userId!)) session.notify(frame, 1)
    }
  }

  /** Users of whom the bus says that something about them or their logins changed. */
  async function checkUsers (ids: string[]): Promise<void> {
    const over: Login[] = []
    for (const logins of parts(ids.flatMap(loginsOf))) {
      const found = await store.findLogins(logins)
      over.push(...logins.filter((_, i) => found[i] === null))
    }
    // The logins of whoever is disabled are over as well: that comes first, as the reason why the connections end.
    for (const state of await store.states(ids)) hub.update(state)
    for (const { userId, sid } of over) hub.disconnect(userId, 'session_revoked', sid)
  }

  async function checkChanges (): Promise<void> {
    const began = performance.now()
    const ms = Math.ceil(began - lastCheck) + OVERLAP_MS
    for (const state of await store.changedWithin(ms)) hub.update(state)
    const loggedOut = (await store.loggedOutWithin(ms)).filter(id => hub.sessionsOf(id).length > 0)
    for (const part of parts(loggedOut)) await checkUsers(part)
    lastCheck = began
  }

  /** The logins behind this user's connections. */
  function loginsOf (userId: string): Login[] {
    const sids = hub.sessionsOf(userId).map(({ state }) => state.phase === 'authenticated' ? state.sid : null)
    return [...new Set(sids)].filter(sid => sid !== null).map(sid => ({ userId, sid }))
  }

  hub.doubts = {
    channels (ids) {
      for (const id of ids) doubted.add(id)
      if (ids.length > 0) checkSoon()
    },
    user (id) {
      doubtedUsers.add(id)
      checkSoon()
    }
  }
  const timer = setInterval(() => { check(true) }, INTERVAL_MS)
  timer.unref()
  return {
    stop (): void {
      clearInterval(timer)
      clearTimeout(waiting)
    }
  }
}

function parts<T> (items: T[]): T[][] {
  const found: T[][] = []
  for (let from = 0; from < items.length; from += ITEMS_PER_QUERY) found.push(items.slice(from, from + ITEMS_PER_QUERY))
  return found
}

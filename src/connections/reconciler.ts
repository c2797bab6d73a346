import type { Broker } from '../broker/broker.ts'
import type { ChannelSettings, ChannelVersion } from '../store/channels.ts'
import type { UserState } from '../store/users.ts'
import type { LocalChannel } from './channel.ts'
import { createDirectNotices, type DirectsDeps } from './directs.ts'
import { encode } from './frames.ts'
import type { Hub } from './hub.ts'

/** Milliseconds between two checks of the database for what the bus may have lost [P33]. */
const INTERVAL_MS = 2000
/** Milliseconds after a check for which hints of the bus are collected, so that many hints cause few queries. */
const HINT_INTERVAL_MS = 50
/** A check also reads changes from this many milliseconds before the last check: a transaction commits later than its time stamp says. */
const OVERLAP_MS = 30_000
/** Milliseconds that the bus may take to report the end of a membership. Together with `INTERVAL_MS` they stay within the 5 s of [P33]. */
const GRACE_MS = 1000
/** Most channels, users or logins in one query. For very many, PostgreSQL would read the whole table. */
const ITEMS_PER_QUERY = 1000

interface Login { userId: string, sid: string }

export interface ReconcilerDeps extends Pick<DirectsDeps, 'toldWithin'> {
  hub: Hub
  broker: Pick<Broker, 'connected'>
  /** The versions of those of the channels that still exist. */
  versions (channelIds: string[]): Promise<ChannelVersion[]>
  settings (channelIds: string[]): Promise<ChannelSettings[]>
  membersAmong (channelId: string, userIds: string[]): Promise<Set<string>>
  /** For how many milliseconds those of the users who are muted are still muted. */
  mutesAmong (channelId: string, userIds: string[]): Promise<Map<string, number>>
  states (userIds: string[]): Promise<UserState[]>
  /** Users who changed within the last `ms` milliseconds, by the database's clock. */
  changedWithin (ms: number): Promise<UserState[]>
  /** Users with a login that ended within the last `ms` milliseconds, by the database's clock. */
  loggedOutWithin (ms: number): Promise<string[]>
  /** For each login, its user, or null if the login has ended. */
  findLogins (logins: Login[]): Promise<Array<object | null>>
  onFault (error: unknown): void
}

/**
 * Compares this instance's connections and subscriptions with the database. The bus only gives hints: whatever it loses (messages, ended
 * memberships, mutes, deletions, new settings, changed users, revocations) is found here within seconds, and whatever it says is confirmed
 * here before it has an effect [P60].
 */
export function createReconciler ({ hub, broker, onFault, ...store }: ReconcilerDeps) {
  let doubted = new Set<string>()
  let doubtedUsers = new Set<string>()
  /** Users who may have to be told of a direct channel [P47]. */
  let doubtedDirects = new Set<string>()
  const directs = createDirectNotices({ hub, toldWithin: store.toldWithin })
  /** Channels whose `aclVersion` is older than the database's, and since when this has been known. */
  const behindSince = new WeakMap<LocalChannel, number>()
  let checking = false
  /** True if a check of everything became due while another check ran. */
  let allDue = false
  let lastCheck = performance.now()
  /** The earliest time at which hints may cause the next check. */
  let hintsFrom = 0
  let waiting: NodeJS.Timeout | undefined

  /** Runs one check at a time, so that a slow database does not get more and more queries. */
  async function check (all: boolean): Promise<void> {
    if (all) allDue = true
    if (checking) return
    checking = true
    let pause = HINT_INTERVAL_MS
    all = allDue
    allDue = false
    const [channels, users, receivers] = [doubted, doubtedUsers, doubtedDirects]
    doubted = new Set()
    doubtedUsers = new Set()
    doubtedDirects = new Set()
    if (all) for (const { id } of hub.channels()) channels.add(id)
    try {
      for (const part of parts([...channels])) await checkChannels(part)
      for (const part of parts([...users])) await checkUsers(part)
      for (const part of parts([...receivers])) await directs.check(OVERLAP_MS, part)
      if (all && hub.size > 0) await checkChanges()
      // Nobody is connected, so nobody has to be told later of what changes now.
      else if (all) lastCheck = performance.now()
    } catch (error) {
      // The next check of everything includes what this check was asked for.
      pause = INTERVAL_MS
      onFault(error)
    } finally {
      checking = false
      hintsFrom = performance.now() + pause
    }
    if (allDue || doubted.size > 0 || doubtedUsers.size > 0 || doubtedDirects.size > 0) checkSoon()
  }

  function checkSoon (): void {
    // When the running check ends, it looks for doubts that were reported meanwhile.
    if (checking) return
    waiting ??= setTimeout(() => {
      waiting = undefined
      check(false)
    }, Math.max(0, hintsFrom - performance.now())).unref()
  }

  async function checkChannels (ids: string[]): Promise<void> {
    const claimed = ids.map(id => hub.channel(id)?.sequencer.claimed)
    const leaving = ids.map(id => [...hub.channel(id)?.leaving ?? []])
    const hadDoubtedMutes = ids.map(id => hub.channel(id)?.areMutesDoubted)
    const found = new Map((await store.versions(ids)).map(version => [version.id, version]))
    const outdated: string[] = []
    for (const [i, id] of ids.entries()) {
      const channel = hub.channel(id)
      // The subscription began during the query, so the version may be older than the one that it began with.
      if (!channel || claimed[i] === undefined) continue
      const version = found.get(id)
      if (!version) {
        hub.endChannel(channel, new Date().toISOString())
        continue
      }
      channel.sequencer.catchUp(version.lastSeq, claimed[i])
      if (version.settingsVersion > channel.settingsVersion) outdated.push(id)
      if (isOverdue(channel, version.aclVersion)) await checkMembers(channel, version.aclVersion)
      if (hadDoubtedMutes[i]) channel.areMutesDoubted = false
      for (const userId of leaving[i]!) {
        channel.leaving.delete(userId)
        for (const session of hub.sessionsOf(userId)) channel.release(session)
      }
    }
    if (outdated.length > 0) await announceSettings(outdated)
  }

  /** Tells the subscribers of these channels their new settings [P50]. */
  async function announceSettings (ids: string[]): Promise<void> {
    for (const { id, version, settings } of await store.settings(ids)) {
      const channel = hub.channel(id)
      if (!channel || version <= channel.settingsVersion) continue
      channel.settingsVersion = version
      const timestamp = new Date().toISOString()
      channel.notify({ kind: 'notice', frame: encode({ type: 'channel_updated', channel: channel.name, ...settings, timestamp }) })
    }
  }

  /**
   * Returns whether the members must be checked now. A change that the bus has not reported may still be on its way, so the members are
   * checked only if the change is late, the bus is down, or the bus has reported the end of a membership or a mute.
   */
  function isOverdue (channel: LocalChannel, aclVersion: number): boolean {
    if (aclVersion <= channel.aclVersion) {
      behindSince.delete(channel)
      return false
    }
    const now = performance.now()
    const since = behindSince.get(channel) ?? now
    behindSince.set(channel, since)
    return channel.leaving.size > 0 || channel.areMutesDoubted || !broker.connected || now - since >= GRACE_MS
  }

  async function checkMembers (channel: LocalChannel, aclVersion: number): Promise<void> {
    const asked = new Set(channel.subscribers().map(subscriber => subscriber.userId!))
    const members = await store.membersAmong(channel.id, [...asked])
    const mutes = await store.mutesAmong(channel.id, [...asked])
    for (const userId of asked) channel.mute(userId, mutes.get(userId) ?? 0, aclVersion)
    channel.aclVersion = Math.max(channel.aclVersion, aclVersion)
    behindSince.delete(channel)
    const frame = encode({ type: 'channel_left', channel: channel.name, timestamp: new Date().toISOString() })
    const isGone = (userId: string): boolean => asked.has(userId) && !members.has(userId)
    for (const session of hub.endSubscriptions(channel, aclVersion, isGone)) {
      if (!channel.leaving.has(session.userId!)) session.notify(frame, 1)
    }
  }

  /** Reads these users' state and logins from the database, updates their connections, and closes those whose login has ended. */
  async function checkUsers (ids: string[]): Promise<void> {
    const over: Login[] = []
    for (const logins of parts(ids.flatMap(loginsOf))) {
      const found = await store.findLogins(logins)
      over.push(...logins.filter((_, i) => found[i] === null))
    }
    // Disabling a user ends their logins too. Apply it first, so that the connections close with that reason.
    for (const state of await store.states(ids)) hub.update(state)
    for (const { userId, sid } of over) hub.disconnect(userId, 'session_revoked', sid)
  }

  async function checkChanges (): Promise<void> {
    const began = performance.now()
    const ms = Math.ceil(began - lastCheck) + OVERLAP_MS
    for (const state of await store.changedWithin(ms)) hub.update(state)
    const loggedOut = (await store.loggedOutWithin(ms)).filter(id => hub.sessionsOf(id).length > 0)
    for (const part of parts(loggedOut)) await checkUsers(part)
    await directs.checkAll(ms)
    lastCheck = began
  }

  /** The logins that this user's connections to this instance use. */
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
    },
    direct (userId) {
      if (hub.sessionsOf(userId).length === 0) return
      doubtedDirects.add(userId)
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

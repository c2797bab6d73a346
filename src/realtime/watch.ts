import type { Broker } from '../broker/broker.ts'
import type { ChannelVersion } from '../store/channels.ts'
import type { LocalChannel } from './channel.ts'
import { encode } from './codec.ts'
import type { Hub } from './hub.ts'

/** How often the database is asked what the bus may have lost, in milliseconds [P33]. */
const INTERVAL_MS = 2000
/** Revocations this much older than the last check are looked at again: a transaction commits later than its time stamp. */
const OVERLAP_MS = 30_000
/** How long the bus may take to tell of a membership that ended. With `INTERVAL_MS`, within the 5 s of [P33]. */
const GRACE_MS = 1000
/** Channels that one query asks of: for very many PostgreSQL would rather read the whole table. */
const CHANNELS_PER_QUERY = 1000

export interface WatchDeps {
  hub: Hub
  broker: Pick<Broker, 'connected'>
  /** The state of those of the channels that still exist. */
  versions (channelIds: string[]): Promise<ChannelVersion[]>
  membersAmong (channelId: string, userIds: string[]): Promise<Set<string>>
  /** Users who were disabled, and users of whom logins have ended, within the last so many milliseconds by the database's clock. */
  revokedWithin (ms: number): Promise<{ disabled: string[], loggedOut: string[] }>
  /** For each login: its user, or null where it is over. */
  findLogins (logins: Array<{ userId: string, sid: string }>): Promise<Array<object | null>>
  onFault (error: unknown): void
}

/**
 * Holds this instance's subscriptions against the database: the bus is only a hint, so whatever it lost (messages,
 * ended memberships, deletions, revocations) is found here within seconds.
 */
export function createWatch ({ hub, broker, versions, membersAmong, revokedWithin, findLogins, onFault }: WatchDeps) {
  const doubted = new Set<string>()
  /** Channels whose `aclVersion` was behind when it was last looked at, and since when. */
  const behindSince = new WeakMap<LocalChannel, number>()
  let checking = false
  let lastCheck = performance.now()

  /** Only one check at a time: a slow database is not asked more and more. */
  async function check (all: boolean): Promise<void> {
    if (checking) return
    checking = true
    try {
      const ids = all ? [...hub.channels()].map(channel => channel.id) : [...doubted]
      doubted.clear()
      for (let i = 0; i < ids.length; i += CHANNELS_PER_QUERY) await checkChannels(ids.slice(i, i + CHANNELS_PER_QUERY))
      if (all && hub.size > 0) await checkRevocations()
    } catch (error) {
      onFault(error)
    } finally {
      checking = false
    }
    if (doubted.size > 0) await check(false)
  }

  async function checkChannels (ids: string[]): Promise<void> {
    const found = new Map((await versions(ids)).map(version => [version.id, version]))
    for (const id of ids) {
      const channel = hub.channel(id)
      if (!channel) continue
      const version = found.get(id)
      if (!version) {
        hub.endChannel(channel, new Date().toISOString())
        continue
      }
      channel.sequencer.catchUp(version.lastSeq)
      if (isOverdue(channel, version.aclVersion)) await checkMembers(channel, version.aclVersion)
    }
  }

  /** A change that the bus has not told of yet may still be on its way; only where it is late, or the bus is down, we act. */
  function isOverdue (channel: LocalChannel, aclVersion: number): boolean {
    if (aclVersion <= channel.aclVersion) {
      behindSince.delete(channel)
      return false
    }
    const now = performance.now()
    const since = behindSince.get(channel) ?? now
    behindSince.set(channel, since)
    return !broker.connected || now - since >= GRACE_MS
  }

  async function checkMembers (channel: LocalChannel, aclVersion: number): Promise<void> {
    const asked = new Set(channel.subscribers().map(subscriber => subscriber.userId!))
    const members = await membersAmong(channel.id, [...asked])
    channel.aclVersion = Math.max(channel.aclVersion, aclVersion)
    behindSince.delete(channel)
    const frame = encode({ type: 'channel_left', channel: channel.name, timestamp: new Date().toISOString() })
    const isGone = (userId: string): boolean => asked.has(userId) && !members.has(userId)
    for (const session of hub.endSubscriptions(channel, aclVersion, isGone)) session.notify(frame, 1)
  }

  async function checkRevocations (): Promise<void> {
    const began = performance.now()
    const { disabled, loggedOut } = await revokedWithin(Math.ceil(began - lastCheck) + OVERLAP_MS)
    for (const userId of disabled) hub.disconnect(userId, 'disconnected')
    const logins = loggedOut.flatMap(loginsOf)
    const found = logins.length > 0 ? await findLogins(logins) : []
    logins.forEach(({ userId, sid }, i) => {
      if (found[i] === null) hub.disconnect(userId, 'session_revoked', sid)
    })
    lastCheck = began
  }

  /** The logins behind this user's connections. */
  function loginsOf (userId: string): Array<{ userId: string, sid: string }> {
    const sids = hub.sessionsOf(userId).map(({ state }) => state.phase === 'authenticated' ? state.sid : null)
    return [...new Set(sids)].filter(sid => sid !== null).map(sid => ({ userId, sid }))
  }

  hub.onDoubt = ids => {
    if (doubted.size === 0) setImmediate(() => { check(false) })
    for (const id of ids) doubted.add(id)
  }
  const timer = setInterval(() => { check(true) }, INTERVAL_MS)
  timer.unref()
  return { stop: (): void => clearInterval(timer) }
}

import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { RedisPresenceDeps } from '../../src/presence/redis.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import type { Test } from '../tap.ts'
import { channel, lobby, person } from './people.ts'
import { openPresence, type Instance } from './presences.ts'

export const TIMES = { lease: 4000, renew: 50, grace: 600 }
export const den = channel('den')

/** Starts a Redis that loses keys, for the tests of one file. Each of its presences has a prefix. */
export async function startLosses (t: Test) {
  const { url } = await startRedis(t)
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())

  const open = (test: Test, deps: Partial<RedisPresenceDeps>): Instance => openPresence(test, { ...TIMES, url, ...deps })
  const epochOf = (prefix: string): Promise<string | null> => redis.get(`${prefix}presence:current`)

  return {
    url,
    redis,
    open,
    epochOf,

    /** Opens two instances: `both` is in the lobby on both, `one` and `two` on one of them, and `alone` in the den on the second. */
    async openPair (test: Test, deps: Partial<RedisPresenceDeps> = {}): Promise<{ prefix: string, a: Instance, b: Instance }> {
      const prefix = deps.prefix ?? randomUUID()
      const [a, b] = [open(test, { ...deps, prefix }), open(test, { ...deps, prefix })]
      for (const name of ['both', 'one']) a.presence.enter(lobby, person(name))
      await eventually(() => a.told.length === 2)
      for (const name of ['both', 'two']) b.presence.enter(lobby, person(name))
      b.presence.enter(den, person('alone'))
      await eventually(() => b.told.length === 2)
      a.told.length = b.told.length = 0
      return { prefix, a, b }
    },

    /** Deletes the keys that match any of these patterns at once. Returns the epoch before. */
    async lose (prefix: string, patterns: string[]): Promise<string> {
      const epoch = await epochOf(prefix)
      const keys = (await Promise.all(patterns.map(pattern => redis.keys(`${prefix}presence:${pattern}`)))).flat()
      if (keys.length === 0) throw new Error(`no keys match ${patterns}`)
      await redis.del(...keys)
      return epoch!
    },

    isRenewed: (prefix: string, old: string) => async (): Promise<boolean> => {
      const epoch = await epochOf(prefix)
      return epoch !== null && epoch !== '' && epoch !== old
    },

    hasNoOldKeys: (prefix: string) => async (): Promise<boolean> => {
      const epoch = await epochOf(prefix)
      const keys = await redis.keys(`${prefix}presence:*:*`)
      return keys.map(key => key.slice(prefix.length).split(':')[1]).every(part => part === 'instance' || part === epoch)
    },

    /** Number of instances whose key does not expire. */
    async lastingInstances (prefix: string): Promise<number> {
      const keys = await redis.keys(`${prefix}presence:instance:*`)
      const ttls = await Promise.all(keys.map(key => redis.pttl(key)))
      return ttls.filter(ttl => ttl === -1).length
    }
  }
}

export const lists = ({ presence }: Instance, users: string, channelId = 'lobby') => async (): Promise<boolean> =>
  (await presence.list(channelId)).join() === users

/** Whether these instances list and count everyone whom `openPair` has entered. */
export async function isComplete (instances: Instance[]): Promise<boolean> {
  const found = await Promise.all(instances.flatMap(({ presence }) => [
    presence.list('lobby'), presence.list('den'), presence.counts(['lobby', 'den'])
  ]))
  return found.map(items => items.join()).join(' ') === instances.map(() => 'both,one,two alone 3,1').join(' ')
}

/** Changes presence on both instances and checks that exactly these changes are announced. Earlier, false announcements would show too. */
export async function announcesExactly (test: Test, { a, b }: { a: Instance, b: Instance }): Promise<void> {
  a.presence.exit(lobby, person('both'))
  a.presence.exit(lobby, person('one'))
  b.presence.enter(lobby, person('new'))
  await eventually(() => a.told.length > 0 && b.told.length > 0)
  b.presence.exit(lobby, person('both'))
  b.presence.exit(den, person('alone'))
  await eventually(() => a.told.length + b.told.length >= 4)
  test.same([a.told, b.told.toSorted()], [['user_left one'], ['user_joined new', 'user_left alone', 'user_left both']])
  await eventually(async () => await lists(a, 'new,two')() && await lists(b, 'new,two')() && await lists(a, '', 'den')())
}

import { randomUUID } from 'node:crypto'
import { createClusterBroker } from '../../src/broker/cluster.ts'
import { createRedisBroker } from '../../src/broker/redis.ts'
import type { Topic } from '../../src/broker/broker.ts'
import { createLimitCounters } from '../../src/drivers.ts'
import { createClusterPresence } from '../../src/presence/cluster.ts'
import type { Announce } from '../../src/presence/presence.ts'
import { createRedisPresence } from '../../src/presence/redis.ts'
import { isCluster, type RedisSettings } from '../../src/redis-settings.ts'
import { arrives } from '../broker/brokers.ts'
import { listen, notice, subscribe, testBroker, textOf, type Listener } from '../contracts/broker.ts'
import { testPresence, watch, type Watched } from '../contracts/presence.ts'
import { eventually } from '../eventually.ts'
import { ann, bob, channel } from '../presence/people.ts'
import { QUICK } from '../presence/presences.ts'
import type { Test } from '../tap.ts'

/** More topics and channels than a cluster has parts. */
const MANY = 40
export const topics: Topic[] = Array.from({ length: MANY }, (_, i) => `channel:${i}` as const)
export const rooms = Array.from({ length: MANY }, (_, i) => channel(`room-${i}`))

/** Everything that uses Redis, for tests at one URL, with certificates for TLS. */
export function usersOf (url: string, tls: Pick<RedisSettings, 'ca'> = {}) {
  /** Lines that the bus, presence and the limits have logged. */
  const log: Array<{ level: string, details: object, text: string }> = []
  const logger = {
    info (details: object, text: string) { log.push({ level: 'info', details, text }) },
    warn (details: object, text: string) { log.push({ level: 'warn', details, text }) }
  }
  const deps = (prefix: string) => ({ url, ...tls, prefix, logger, pool_size: 2, pool_timeout: 5 })
  const createBroker = (prefix = `${randomUUID()}:`, beat = 200) =>
    (isCluster(url) ? createClusterBroker : createRedisBroker)({ ...deps(prefix), beat })
  const createPresence = (announce: Announce, prefix = `${randomUUID()}:`) =>
    (isCluster(url) ? createClusterPresence : createRedisPresence)({ ...deps(prefix), ...QUICK, announce })

  return {
    log,
    createBroker,
    createPresence,
    async openBroker (t: Test, prefix?: string, beat?: number): Promise<Listener> {
      const listener = await listen(createBroker(prefix, beat))
      t.teardown(() => listener.broker.close())
      return listener
    },
    openPresence (t: Test, prefix: string): Watched {
      const watched = watch(announce => createPresence(announce, prefix))
      t.teardown(() => watched.presence.close())
      return watched
    },
    openCounters (t: Test, prefix: string) {
      const counters = createLimitCounters({ redis: { ...deps(prefix), tls_verify: true } }, logger)
      t.teardown(() => counters.close())
      counters.start()
      return counters
    }
  }
}

export type Users = ReturnType<typeof usersOf>

/** Runs the suites of the bus and of presence, and tests that two instances work together. */
export function testRedis (t: Test, name: string, users: Users): void {
  testBroker(name, () => users.createBroker())
  testPresence(name, announce => users.createPresence(announce))

  t.test(`${name}: the events of each topic arrive at another instance in order, and none is lost`, async t => {
    const prefix = `${randomUUID()}:`
    // The beats wait behind the events, and two that are late would replace the connections.
    const [a, b] = [await users.openBroker(t, prefix, 5000), await users.openBroker(t, prefix, 5000)]
    await subscribe(b, ...topics)
    await eventually(() => arrives(topics, a, b, 'first'))
    b.events.length = 0
    const sent = Array.from({ length: 100 }, (_, i) => String(i))
    for (const [i, text] of sent.entries()) {
      for (const topic of topics) a.broker.publish(topic, notice(text))
      if (i % 10 === 9) await new Promise(resolve => setImmediate(resolve))
    }
    await eventually(() => b.events.length >= sent.length * topics.length)
    for (const topic of topics) t.same(b.events.filter(event => event.topic === topic).map(({ event }) => textOf(event)), sent)
    b.broker.unsubscribe('channel:1')
    for (const topic of topics) a.broker.publish(topic, notice('after'))
    await eventually(() => b.events.length === (sent.length + 1) * topics.length - 1)
    t.equal(a.broker.dropped, 0)
  })

  t.test(`${name}: [P23] users of all instances are listed and counted in each channel, and a departure is announced once`, async t => {
    const prefix = `${randomUUID()}:`
    const [a, b] = [users.openPresence(t, prefix), users.openPresence(t, prefix)]
    for (const room of rooms) {
      a.presence.enter(room, ann)
      b.presence.enter(room, bob)
    }
    a.presence.connect(ann)
    await eventually(async () => (await b.presence.counts(rooms.map(({ id }) => id))).every(count => count === 2))
    t.same(await a.presence.list('room-7'), ['ann', 'bob'])
    t.same([...await b.presence.connected(['ann', 'bob'])], ['ann'])
    await eventually(() => a.told.length === MANY && b.told.length === MANY)
    b.presence.enter(rooms[0]!, ann)
    a.presence.exit(rooms[0]!, ann)
    b.presence.exit(rooms[1]!, bob)
    await eventually(() => b.told.length === MANY + 1)
    t.equal(b.told.at(-1), 'user_left bob')
    t.equal(a.told.length, MANY, 'the user is still there on the other instance')
    t.same(await a.presence.counts(['room-0', 'room-1', 'none']), [2, 1, 0])
  })

  t.test(`${name}: limits count for all instances together`, async t => {
    const prefix = `${randomUUID()}:`
    const [a, b] = [users.openCounters(t, prefix), users.openCounters(t, prefix)]
    await eventually(() => users.log.filter(({ text }) => text === 'rate limits connected').length === 2)
    for (let i = 0; i < 3; i++) await a.add('key', 60_000)
    t.equal((await b.add('key', 60_000)).current, 4)
    t.equal((await a.read('key')).current, 4)
  })
}

import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { createRedisPresence, type RedisPresenceDeps } from '../../src/presence/redis.ts'
import { channel, lobby, person, watch, type Watched } from '../contracts/presence.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'
import { openProcess } from './process.ts'

const times = { lease: 4000, renew: 50, grace: 600 }
const den = channel('den')
const shared = await startRedis()
const redis = new Redis(shared.url)
t.teardown(async () => {
  redis.disconnect()
  await shared.kill()
})

/** A presence and the texts of its warnings. */
type Instance = Watched & { warnings: string[] }

function open (test: Test, prefix: string, deps: Partial<RedisPresenceDeps> = {}): Instance {
  const warnings: string[] = []
  const logger = { info () {}, warn: (_: object, text: string) => { warnings.push(text) } }
  const watched = watch(announce => createRedisPresence({ ...times, pool_timeout: 1, logger, url: shared.url, prefix, announce, ...deps }))
  test.teardown(() => watched.presence.close())
  return { ...watched, warnings }
}

/** Opens two instances: `both` is in the lobby on both of them, `one` and `two` on one of them, and `alone` in the den on the second. */
async function openPair (test: Test, prefix: string = randomUUID()): Promise<{ prefix: string, a: Instance, b: Instance }> {
  const [a, b] = [open(test, prefix), open(test, prefix)]
  for (const name of ['both', 'one']) a.presence.enter(lobby, person(name))
  await eventually(() => a.told.length === 2)
  for (const name of ['both', 'two']) b.presence.enter(lobby, person(name))
  b.presence.enter(den, person('alone'))
  await eventually(() => b.told.length === 2)
  a.told.length = b.told.length = 0
  return { prefix, a, b }
}

const lists = ({ presence }: Instance, users: string, channelId = 'lobby') => async () => (await presence.list(channelId)).join() === users
const epochOf = (prefix: string) => redis.get(`${prefix}presence:current`)

async function isComplete (instances: Instance[]): Promise<boolean> {
  const found = await Promise.all(instances.flatMap(({ presence }) => [
    presence.list('lobby'), presence.list('den'), presence.counts(['lobby', 'den'])
  ]))
  return found.map(items => items.join()).join(' ') === instances.map(() => 'both,one,two alone 3,1').join(' ')
}

/** Deletes the keys that match any of these patterns at once. Returns the epoch before. */
async function lose (prefix: string, patterns: string[]): Promise<string> {
  const epoch = await epochOf(prefix)
  const keys = (await Promise.all(patterns.map(pattern => redis.keys(`${prefix}presence:${pattern}`)))).flat()
  t.ok(keys.length > 0, `${patterns} match keys`)
  await redis.del(...keys)
  return epoch!
}

const isRenewed = (prefix: string, old: string) => async () => {
  const epoch = await epochOf(prefix)
  return epoch !== null && epoch !== '' && epoch !== old
}

const hasNoOldKeys = (prefix: string) => async () => {
  const epoch = await epochOf(prefix)
  const keys = await redis.keys(`${prefix}presence:*:*`)
  return keys.map(key => key.slice(prefix.length).split(':')[1]).every(part => part === 'instance' || part === epoch)
}

/** Changes presence on both instances and checks that exactly these changes are announced. Earlier, false announcements would show too. */
async function announcesExactly (test: Test, { a, b }: { a: Instance, b: Instance }): Promise<void> {
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

const families = [
  ['current'], ['instance:*'], ['*:leases'], ['*:channels'], ['*:left'], ['*:online:lobby'], ['*:online:den'], ['*:online:*'],
  ['*:online:*', '*:channels'], ['*:online:lobby', 'instance:*'], ['*:online:den', '*:leases'], ['instance:*', '*:leases'],
  ['current', '*:online:*'], ['current', '*:channels'], ['current', 'instance:*'], ['*:left', '*:online:lobby'], ['*:*'], ['*']
]

t.test('[P23] whichever keys Redis loses, lists are complete again within a lease, and nobody is announced who came or left not', async t => {
  await Promise.all(families.map(async patterns => {
    const { prefix, a, b } = await openPair(t)
    const epoch = await lose(prefix, patterns)
    const lostAt = performance.now()
    await eventually(isRenewed(prefix, epoch), times.lease)
    await eventually(() => isComplete([a, b]), times.lease)
    t.ok(performance.now() - lostAt < times.lease, `${patterns}: healed after ${Math.round(performance.now() - lostAt)} ms`)
    await announcesExactly(t, { a, b })
    await eventually(hasNoOldKeys(prefix))
    t.match(await redis.zcard(`${prefix}presence:${await epochOf(prefix)}:leases`), 2)
  }))
})

t.test('[P23] if Redis loses the key of one instance only, the other instances heal too', async t => {
  const { prefix, a, b } = await openPair(t)
  const [key] = await redis.keys(`${prefix}presence:instance:*`)
  const epoch = (await epochOf(prefix))!
  await redis.del(key!)
  await eventually(isRenewed(prefix, epoch), times.lease)
  await eventually(() => isComplete([a, b]), times.lease)
  await announcesExactly(t, { a, b })
})

t.test('keys that only mark a moment may be lost without any effect', async t => {
  const { prefix, a, b } = await openPair(t)
  await redis.set(`${prefix}presence:rebuilt`, '', 'PX', 60_000)
  await eventually(async () => await redis.get(`${prefix}presence:${await epochOf(prefix)}:sweep`) === 'done')
  const epoch = await lose(prefix, ['rebuilt', '*:sweep'])
  await eventually(async () => await redis.get(`${prefix}presence:${epoch}:sweep`) === 'done')
  await announcesExactly(t, { a, b })
  t.equal(await epochOf(prefix), epoch)
})

t.test('[P23] a user who opens or closes a second connection right after a loss is not announced', async t => {
  for (const patterns of [['*:online:*'], ['*:channels'], ['*'], ['current']]) {
    const { prefix, a, b } = await openPair(t)
    await lose(prefix, patterns)
    a.presence.enter(lobby, person('two'))
    b.presence.exit(lobby, person('both'))
    await eventually(lists(b, 'both,one,two'))
    a.presence.exit(lobby, person('two'))
    b.presence.enter(lobby, person('both'))
    await eventually(() => isComplete([a, b]), times.lease)
    await announcesExactly(t, { a, b })
  }
})

t.test('[P23] somebody who enters a channel right after Redis lost it does not hide that it was lost', async t => {
  const { prefix, a, b } = await openPair(t)
  await lose(prefix, ['*:online:lobby'])
  a.presence.enter(lobby, person('new'))
  for (const instance of [a, b]) await eventually(lists(instance, 'both,new,one,two'), times.lease)
  await eventually(() => a.told.length > 0)
  t.same([a.told, b.told], [['user_joined new'], []])
})

t.test('[P23] a departure whose mark Redis loses is announced once, unless the user returns', async t => {
  const { prefix, a, b } = await openPair(t)
  for (const name of ['one', 'both']) a.presence.exit(lobby, person(name))
  b.presence.exit(lobby, person('both'))
  await eventually(async () => await redis.hlen(`${prefix}presence:${await epochOf(prefix)}:left`) === 3)
  await lose(prefix, ['*:left'])
  a.presence.enter(lobby, person('both'))
  await eventually(() => a.told.length > 0)
  for (const instance of [a, b]) await eventually(lists(instance, 'both,two'))
  a.presence.exit(lobby, person('both'))
  await eventually(() => a.told.length > 1)
  t.same([a.told, b.told], [['user_left one', 'user_left both'], []])
})

t.test('[P23] departures of an instance that died before or after a loss are announced once, and it leaves no key behind', async t => {
  for (const patterns of [['current'], ['*:leases'], ['*:left', '*:online:*'], ['*:channels']]) {
    for (const diesFirst of [true, false]) {
      const { prefix, a, b } = await openPair(t)
      const { child } = await openProcess(t, { ...times, url: shared.url, prefix }, ['both', 'dead', 'ghost'], 2)
      if (diesFirst) child.kill('SIGKILL')
      const epoch = await lose(prefix, patterns)
      await eventually(isRenewed(prefix, epoch), times.lease)
      if (!diesFirst) child.kill('SIGKILL')
      await eventually(() => a.told.length + b.told.length === 2, 3 * times.lease)
      t.same([...a.told, ...b.told].toSorted(), ['user_left dead', 'user_left ghost'])
      a.told.length = b.told.length = 0
      await announcesExactly(t, { a, b })
      await eventually(hasNoOldKeys(prefix))
      const instances = await redis.keys(`${prefix}presence:instance:*`)
      const ttls = await Promise.all(instances.map(key => redis.pttl(key)))
      t.equal(ttls.filter(ttl => ttl === -1).length, 2, 'only the living instances have a key that does not expire')
    }
  }
})

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
async function openPair (
  test: Test, deps: Partial<RedisPresenceDeps> = {}
): Promise<{ prefix: string, a: Instance, b: Instance }> {
  const prefix = deps.prefix ?? randomUUID()
  const [a, b] = [open(test, prefix, deps), open(test, prefix, deps)]
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
  if (keys.length === 0) throw new Error(`no keys match ${patterns}`)
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

/** Number of instances whose key does not expire. */
async function lastingInstances (prefix: string): Promise<number> {
  const keys = await redis.keys(`${prefix}presence:instance:*`)
  const ttls = await Promise.all(keys.map(key => redis.pttl(key)))
  return ttls.filter(ttl => ttl === -1).length
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

t.test('[P23] whichever keys Redis loses, lists are complete again within a lease, and nothing false is announced', async t => {
  await Promise.all(families.map(async patterns => {
    const { prefix, a, b } = await openPair(t)
    const epoch = await lose(prefix, patterns)
    const lostAt = performance.now()
    await eventually(isRenewed(prefix, epoch), times.lease)
    await eventually(() => isComplete([a, b]), times.lease)
    t.ok(performance.now() - lostAt < times.lease, `${patterns}: healed after ${Math.round(performance.now() - lostAt)} ms`)
    await announcesExactly(t, { a, b })
    await eventually(hasNoOldKeys(prefix))
    t.equal(await redis.zcard(`${prefix}presence:${await epochOf(prefix)}:leases`), 2)
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

t.test('if the instance that removes old keys dies before it is done, another one removes them', async t => {
  const { prefix } = await openPair(t)
  const sweep = `${prefix}presence:${await epochOf(prefix)}:sweep`
  await eventually(async () => await redis.get(sweep) === 'done')
  await redis.set(`${prefix}presence:01234567:online:lobby`, 'old')
  await redis.set(sweep, 'dead', 'PX', 600_000)
  await eventually(hasNoOldKeys(prefix))
})

t.test('keys of an earlier epoch are removed whatever characters the prefix has', async t => {
  const prefix = `[a-z]*?\\${randomUUID()}:`
  const { a, b } = await openPair(t, { prefix })
  const old = (await epochOf(prefix))!
  await redis.del(`${prefix}presence:current`)
  await eventually(isRenewed(prefix, old))
  await eventually(async () => !(await redis.keys('*')).some(key => key.startsWith(`${prefix}presence:${old}:`)))
  await eventually(() => isComplete([a, b]))
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
  const cases = [['current'], ['*:left', '*:leases']].flatMap(patterns => [true, false].map(diesFirst => ({ patterns, diesFirst })))
  await Promise.all(cases.map(async ({ patterns, diesFirst }) => {
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
    t.equal(await lastingInstances(prefix), 2, 'only the living instances have a key that does not expire')
  }))
})

t.test('[P23] an instance that is frozen during a loss comes back silently, or its users left and join again', async t => {
  const short = await openPair(t)
  const long = await openPair(t)
  const processes = [short, long].map(({ prefix }) => openProcess(t, { ...times, url: shared.url, prefix }, ['both', 'cold'], 1))
  const [brief, frozen] = await Promise.all(processes) as [Awaited<typeof processes[0]>, Awaited<typeof processes[0]>]
  brief.child.kill('SIGSTOP')
  frozen.child.kill('SIGSTOP')
  for (const { prefix, a, b } of [short, long]) {
    const epoch = await lose(prefix, ['*:online:*'])
    await eventually(isRenewed(prefix, epoch), times.lease)
    await eventually(() => isComplete([a, b]), times.lease)
  }
  brief.child.kill('SIGCONT')
  await eventually(lists(short.a, 'both,cold,one,two'))
  await eventually(() => long.a.told.length + long.b.told.length === 1, 3 * times.lease)
  t.same([...long.a.told, ...long.b.told], ['user_left cold'])
  long.a.told.length = long.b.told.length = 0
  frozen.child.kill('SIGCONT')
  await eventually(lists(long.a, 'both,cold,one,two'))
  await eventually(() => frozen.told.length === 2)
  t.same([brief.told, frozen.told], [['user_joined cold'], ['user_joined cold', 'user_joined cold']])
  for (const { prefix, a, b } of [short, long]) {
    await eventually(hasNoOldKeys(prefix))
    t.equal(await lastingInstances(prefix), 3)
    t.same([a.told, b.told], [[], []])
  }
})

t.test('after a loss each of 20 instances enters its users once, and after a second one during it once more at most', async t => {
  const prefix = randomUUID()
  const instances = Array.from({ length: 20 }, () => open(t, prefix))
  for (const [i, { presence }] of instances.entries()) {
    for (const name of ['all', `only-${i}`]) presence.enter(lobby, person(name))
  }
  const areComplete = async () => {
    const counts = await Promise.all(instances.map(({ presence }) => presence.counts(['lobby'])))
    return counts.every(([count]) => count === 21)
  }
  await eventually(areComplete)
  const told = () => instances.flatMap(instance => instance.told)
  await eventually(() => told().length === 21)
  const renewals = () => instances.map(({ warnings }) => warnings.length)

  await eventually(isRenewed(prefix, await lose(prefix, ['*:online:lobby'])))
  await eventually(areComplete, times.lease)
  await eventually(() => renewals().every(count => count === 1))
  await eventually(async () => !await redis.exists(`${prefix}presence:rebuilt`))
  t.same(renewals(), instances.map(() => 1))

  await eventually(isRenewed(prefix, await lose(prefix, ['current'])))
  const renewedAt = performance.now()
  await eventually(isRenewed(prefix, await lose(prefix, ['*:channels'])), times.lease)
  t.ok(performance.now() - renewedAt > times.grace / 2, 'the second time waits until the first is over')
  await eventually(areComplete, times.lease)
  await eventually(() => renewals().every(count => count >= 2))
  t.ok(renewals().every(count => count <= 3), `${renewals()}`)
  t.equal(told().length, 21)
})

t.test('[P33] if Redis restarts empty while instances enter their users again, lists are complete, and nobody is announced', async t => {
  const server = await startRedis()
  t.teardown(() => server.kill())
  const own = new Redis(server.url, { lazyConnect: true })
  t.teardown(() => own.disconnect())
  const { a, b } = await openPair(t, { url: server.url, prefix: 'p:' })
  await own.connect()
  await own.del('p:presence:current')
  await eventually(() => a.warnings.length + b.warnings.length > 0)
  await server.kill()
  await server.start()
  await eventually(() => a.warnings.includes('presence lost') && b.warnings.includes('presence lost'))
  await eventually(() => isComplete([a, b]), times.lease)
  await announcesExactly(t, { a, b })
})

t.test('[P23] an instance that starts while others enter their users again does not announce users who are online elsewhere', async t => {
  const grace = 4000
  const { prefix, a, b } = await openPair(t, { grace })
  const { child } = await openProcess(t, { ...times, grace, url: shared.url, prefix }, ['slow'])
  child.kill('SIGSTOP')
  await eventually(isRenewed(prefix, await lose(prefix, ['*:left'])))
  const late = open(t, prefix, { grace })
  late.presence.enter(lobby, person('slow'))
  late.presence.enter(lobby, person('new'))
  await late.presence.list('lobby')
  child.kill('SIGCONT')
  await eventually(lists(a, 'both,new,one,slow,two'))
  await eventually(() => late.told.length > 0)
  t.same([late.told, a.told, b.told], [['user_joined new'], [], []])
})

t.test('[P23] while a full Redis evicts keys at random, nobody is announced, and afterwards lists are complete within a lease', async t => {
  const server = await startRedis(['--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-random'])
  t.teardown(() => server.kill())
  const full = new Redis(server.url)
  t.teardown(() => full.disconnect())
  const deps = { url: server.url, lease: 8000 }
  const [a, b] = [open(t, 'p:', deps), open(t, 'p:', deps)]
  const channels = Array.from({ length: 50 }, (_, i) => channel(`c${i}`))
  for (const [i, channel] of channels.entries()) {
    a.presence.enter(channel, person('ann'))
    b.presence.enter(channel, person(`bob-${i}`))
  }
  await eventually(() => a.told.length === 50 && b.told.length === 50)
  a.told.length = b.told.length = 0
  const areComplete = async () => {
    const counts = await Promise.all([a, b].map(({ presence }) => presence.counts(channels.map(({ id }) => id))))
    return counts.flat().every(count => count === 2)
  }
  await eventually(areComplete)
  const lossesOf = ({ warnings }: Instance) => warnings.filter(text => text.startsWith('presence: Redis lost data')).length
  let keys = 0
  await eventually(async () => {
    const pipeline = full.pipeline()
    for (let i = 0; i < 200; i++) pipeline.set(`ballast:${keys++}`, 'x'.repeat(1000))
    await pipeline.exec()
    return lossesOf(a) >= 3 && lossesOf(b) >= 3
  }, 30_000)
  await full.config('SET', 'maxmemory', '0')
  await eventually(areComplete, deps.lease)
  a.presence.exit(channels[0]!, person('ann'))
  b.presence.exit(channels[0]!, person('bob-0'))
  a.presence.enter(channels[0]!, person('new'))
  await eventually(() => a.told.length + b.told.length >= 3)
  t.same([a.told.toSorted(), b.told], [['user_joined new', 'user_left ann'], ['user_left bob-0']])

  await full.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  for (const { warnings, presence } of [a, b]) {
    await eventually(() => warnings.includes('presence lost'))
    await eventually(async () => (await presence.list('c1')).join() === 'ann,bob-1')
  }
  for (const { warnings } of [a, b]) {
    t.equal(warnings.filter(text => text.startsWith('Redis evicts keys')).length, 1, 'eviction is warned of once')
  }
})

t.test('nothing is said of eviction where the server does not evict, or does not tell', async t => {
  const { a } = await openPair(t)
  t.same(a.warnings, [])
  await redis.call('ACL', 'SETUSER', 'reserved', 'on', '>secret', '~*', '&*', '+@all', '-info')
  const url = shared.url.replace('//', '//reserved:secret@')
  const quiet = open(t, randomUUID(), { url })
  quiet.presence.enter(lobby, person('one'))
  await eventually(() => quiet.told.length === 1)
  await eventually(async () => String(await redis.call('ACL', 'LOG')).includes('info'))
  t.same(quiet.warnings, [])
})

import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { announcesExactly, isComplete, startLosses, TIMES } from './losses.ts'
import { channel, lobby, person } from './people.ts'
import type { Instance } from './presences.ts'

const { url, redis, open, openPair, epochOf, lose, isRenewed, hasNoOldKeys } = await startLosses(t)

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
    await eventually(isRenewed(prefix, epoch), TIMES.lease)
    await eventually(() => isComplete([a, b]), TIMES.lease)
    t.ok(performance.now() - lostAt < TIMES.lease, `${patterns}: healed after ${Math.round(performance.now() - lostAt)} ms`)
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
  await eventually(isRenewed(prefix, epoch), TIMES.lease)
  await eventually(() => isComplete([a, b]), TIMES.lease)
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

t.test('after a loss each of 20 instances enters its users once, and after a second one during it once more at most', async t => {
  const prefix = randomUUID()
  const instances = Array.from({ length: 20 }, () => open(t, { prefix }))
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
  await eventually(areComplete, TIMES.lease)
  await eventually(() => renewals().every(count => count === 1))
  await eventually(async () => !await redis.exists(`${prefix}presence:rebuilt`))
  t.same(renewals(), instances.map(() => 1))

  await eventually(isRenewed(prefix, await lose(prefix, ['current'])))
  const renewedAt = performance.now()
  await eventually(isRenewed(prefix, await lose(prefix, ['*:channels'])), TIMES.lease)
  t.ok(performance.now() - renewedAt > TIMES.grace / 2, 'the second time waits until the first is over')
  await eventually(areComplete, TIMES.lease)
  await eventually(() => renewals().every(count => count >= 2))
  t.ok(renewals().every(count => count <= 3), `${renewals()}`)
  t.equal(told().length, 21)
})

t.test('[P23] while a full Redis evicts keys at random, nobody is announced, and afterwards lists are complete within a lease', async t => {
  const server = await startRedis(t, ['--maxmemory', '6mb', '--maxmemory-policy', 'allkeys-random'])
  const full = new Redis(server.url)
  t.teardown(() => full.disconnect())
  const deps = { url: server.url, lease: 8000 }
  const [a, b] = [open(t, deps), open(t, deps)]
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
  const reserved = url.replace('//', '//reserved:secret@')
  const quiet = open(t, { url: reserved })
  quiet.presence.enter(lobby, person('one'))
  await eventually(() => quiet.told.length === 1)
  await eventually(async () => String(await redis.call('ACL', 'LOG')).includes('info'))
  t.same(quiet.warnings, [])
})

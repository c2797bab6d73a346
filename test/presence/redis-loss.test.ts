import { Redis } from 'ioredis'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { announcesExactly, isComplete, lists, startLosses, TIMES } from './losses.ts'
import { lobby, person } from './people.ts'
import { openProcess } from './process.ts'

const { url, redis, open, openPair, epochOf, lose, isRenewed, hasNoOldKeys, lastingInstances } = await startLosses(t)

t.test('[P23] a user who opens or closes a second connection right after a loss is not announced', async t => {
  for (const patterns of [['*:online:*'], ['*:channels'], ['*'], ['current']]) {
    const { prefix, a, b } = await openPair(t)
    await lose(prefix, patterns)
    a.presence.enter(lobby, person('two'))
    b.presence.exit(lobby, person('both'))
    await eventually(lists(b, 'both,one,two'))
    a.presence.exit(lobby, person('two'))
    b.presence.enter(lobby, person('both'))
    await eventually(() => isComplete([a, b]), TIMES.lease)
    await announcesExactly(t, { a, b })
  }
})

t.test('[P23] somebody who enters a channel right after Redis lost it does not hide that it was lost', async t => {
  const { prefix, a, b } = await openPair(t)
  await lose(prefix, ['*:online:lobby'])
  a.presence.enter(lobby, person('new'))
  for (const instance of [a, b]) await eventually(lists(instance, 'both,new,one,two'), TIMES.lease)
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
    const { child } = await openProcess(t, { ...TIMES, url, prefix }, ['both', 'dead', 'ghost'], 2)
    if (diesFirst) child.kill('SIGKILL')
    const epoch = await lose(prefix, patterns)
    await eventually(isRenewed(prefix, epoch), TIMES.lease)
    if (!diesFirst) child.kill('SIGKILL')
    await eventually(() => a.told.length + b.told.length === 2, 3 * TIMES.lease)
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
  const processes = [short, long].map(({ prefix }) => openProcess(t, { ...TIMES, url, prefix }, ['both', 'cold'], 1))
  const [brief, frozen] = await Promise.all(processes) as [Awaited<typeof processes[0]>, Awaited<typeof processes[0]>]
  brief.child.kill('SIGSTOP')
  frozen.child.kill('SIGSTOP')
  for (const { prefix, a, b } of [short, long]) {
    const epoch = await lose(prefix, ['*:online:*'])
    await eventually(isRenewed(prefix, epoch), TIMES.lease)
    await eventually(() => isComplete([a, b]), TIMES.lease)
  }
  brief.child.kill('SIGCONT')
  await eventually(lists(short.a, 'both,cold,one,two'))
  await eventually(() => long.a.told.length + long.b.told.length === 1, 3 * TIMES.lease)
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

t.test('[P33] if Redis restarts empty while instances enter their users again, lists are complete, and nobody is announced', async t => {
  const server = await startRedis(t)
  const own = new Redis(server.url, { lazyConnect: true })
  t.teardown(() => own.disconnect())
  const { a, b } = await openPair(t, { url: server.url, prefix: 'p:' })
  await own.connect()
  await own.del('p:presence:current')
  await eventually(() => a.warnings.length + b.warnings.length > 0)
  await server.kill()
  await server.start()
  await eventually(() => a.warnings.includes('presence lost') && b.warnings.includes('presence lost'))
  await eventually(() => isComplete([a, b]), TIMES.lease)
  await announcesExactly(t, { a, b })
})

t.test('[P23] an instance that starts while others enter their users again does not announce users who are online elsewhere', async t => {
  const grace = 4000
  const { prefix, a, b } = await openPair(t, { grace })
  const { child } = await openProcess(t, { ...TIMES, grace, url, prefix }, ['slow'])
  child.kill('SIGSTOP')
  await eventually(isRenewed(prefix, await lose(prefix, ['*:left'])))
  const late = open(t, { prefix, grace })
  late.presence.enter(lobby, person('slow'))
  late.presence.enter(lobby, person('new'))
  await late.presence.list('lobby')
  child.kill('SIGCONT')
  await eventually(lists(a, 'both,new,one,slow,two'))
  await eventually(() => late.told.length > 0)
  t.same([late.told, a.told, b.told], [['user_joined new'], [], []])
})

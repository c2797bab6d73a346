import { Redis } from 'ioredis'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { lobby, person } from './people.ts'
import { lists, openPresence, QUICK } from './presences.ts'
import { openProcess } from './process.ts'

t.test('G9: when a large instance is killed, its users are gone with exactly one user_left each', async t => {
  const server = await startRedis(t)
  const [a, b] = [openPresence(t, { url: server.url }), openPresence(t, { url: server.url })]
  const users = Array.from({ length: 8500 }, (_, i) => `user-${i}`)
  a.presence.enter(lobby, person('user-0'))
  await eventually(lists('user-0', b))
  const { child } = await openProcess(t, { ...QUICK, url: server.url, prefix: 'p:' }, ['x', ...users.slice(1)])
  t.same(await a.presence.counts(['lobby']), [8501])
  child.kill('SIGKILL')
  await eventually(() => a.told.length + b.told.length === 1 + 8500, 60_000)
  const told = [...a.told, ...b.told].filter(line => line !== 'user_joined user-0')
  t.same(told.toSorted(), ['x', ...users.slice(1)].map(user => `user_left ${user}`).toSorted())
  t.same(await b.presence.list('lobby'), ['user-0'])
})

t.test('users of an instance that is frozen past its lease have left, and join again when it resumes', async t => {
  const server = await startRedis(t)
  const a = openPresence(t, { url: server.url })
  const { child, told } = await openProcess(t, { ...QUICK, url: server.url, prefix: 'p:' }, ['ann', 'bob'])
  child.kill('SIGSTOP')
  await eventually(() => a.told.length === 2)
  t.same(a.told.toSorted(), ['user_left ann', 'user_left bob'])
  child.kill('SIGCONT')
  await eventually(lists('bob', a))
  await eventually(() => told.length === 4)
  t.same(told.slice(2).toSorted(), ['user_joined ann', 'user_joined bob'])
  t.equal(a.told.length, 2)
})

t.test('when all instances have died, the next instance that starts removes their users', async t => {
  const server = await startRedis(t)
  const { child } = await openProcess(t, { ...QUICK, url: server.url, prefix: 'p:' }, ['ann'])
  child.kill('SIGKILL')
  const a = openPresence(t, { url: server.url })
  await eventually(() => a.told.length === 1)
  const redis = new Redis(server.url)
  t.teardown(() => redis.disconnect())
  const epoch = await redis.get('p:presence:current')
  await eventually(async () => (await redis.keys('p:presence:*:online:*')).length === 0)
  t.same(await redis.hlen(`p:presence:${epoch}:left`), 1)
  t.same(await redis.zcard(`p:presence:${epoch}:leases`), 1)
  t.same(a.told, ['user_left ann'])
})

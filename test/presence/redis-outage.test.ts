import { Redis } from 'ioredis'
import { reserveRedis, startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { ann, bob, lobby, person } from './people.ts'
import { lists, openPresence, QUICK } from './presences.ts'

t.test('[P33] without Redis presence is local; after an empty restart other instances are told of the differences once', async t => {
  const server = await startRedis(t)
  const [a, b] = [openPresence(t, { url: server.url }), openPresence(t, { url: server.url })]
  for (const name of ['stays', 'leaves', 'moves', 'both']) a.presence.enter(lobby, person(name))
  b.presence.enter(lobby, person('both'))
  b.presence.enter(lobby, person('remote'))
  await eventually(() => a.told.length + b.told.length === 5)
  a.told.length = b.told.length = a.scopes.length = b.scopes.length = 0

  await server.kill()
  t.same(await a.presence.list('lobby'), ['both', 'leaves', 'moves', 'stays'])
  a.presence.exit(lobby, person('leaves'))
  a.presence.exit(lobby, person('moves'))
  b.presence.enter(lobby, person('moves'))
  a.presence.enter(lobby, person('new'))
  a.presence.enter(lobby, person('passing'))
  await eventually(() => a.told.length === 4)
  a.presence.exit(lobby, person('passing'))
  await eventually(() => a.told.length === 5 && b.told.length === 1)
  t.same(a.told.toSorted(), ['user_joined new', 'user_joined passing', 'user_left leaves', 'user_left moves', 'user_left passing'])
  t.same(b.told, ['user_joined moves'])
  a.told.length = b.told.length = a.scopes.length = b.scopes.length = 0

  await server.start()
  await eventually(() => a.told.length === 3)
  await eventually(async () => (await a.presence.list('lobby')).length === 5)
  t.same(await b.presence.list('lobby'), ['both', 'moves', 'new', 'remote', 'stays'])
  const told = a.told.map((line, i) => `${line} ${a.scopes[i]}`)
  t.same(told.toSorted(), ['user_joined moves everyone', 'user_joined new elsewhere', 'user_left leaves elsewhere'],
    "only a's subscribers had been told that the moved user was gone")
  b.presence.exit(lobby, person('remote'))
  await eventually(() => b.told.includes('user_left remote'))
  t.same(b.told, ['user_left remote'])
})

t.test('[P33] if Redis stops for longer than the lease, no instance counts as dead, and the differences are told once', async t => {
  const server = await startRedis(t)
  const [a, b] = [openPresence(t, { url: server.url }), openPresence(t, { url: server.url })]
  for (const name of ['stays', 'leaves']) a.presence.enter(lobby, person(name))
  b.presence.enter(lobby, person('remote'))
  await eventually(() => a.told.length + b.told.length === 3)
  a.told.length = b.told.length = a.scopes.length = 0
  server.signal('SIGSTOP')
  const stoppedAt = performance.now()
  await eventually(async () => !(await lists('remote', a)()))
  a.presence.exit(lobby, person('leaves'))
  a.presence.enter(lobby, person('new'))
  await eventually(() => a.told.length === 2)
  await eventually(() => performance.now() - stoppedAt > QUICK.lease + 500)
  server.signal('SIGCONT')
  await eventually(() => a.told.length === 4)
  await eventually(async () => (await b.presence.list('lobby')).join() === 'new,remote,stays')
  t.same(a.told.toSorted(), ['user_joined new', 'user_joined new', 'user_left leaves', 'user_left leaves'])
  t.same(a.scopes, ['everyone', 'everyone', 'elsewhere', 'elsewhere'])
  // After a reconnection an instance waits one lease before it looks for dead instances: wait until both have looked.
  b.presence.enter(lobby, person('later'))
  const backAt = performance.now()
  await eventually(() => performance.now() - backAt > QUICK.lease + 500)
  t.same(b.told, ['user_joined later'])
  t.equal(a.told.length, 4)
})

t.test('if Redis is absent at the start, presence is local, and users are entered once Redis is available', async t => {
  const server = await reserveRedis(t)
  const a = openPresence(t, { url: server.url })
  a.presence.enter(lobby, ann)
  await eventually(() => a.told.length === 1)
  t.same(await a.presence.list('lobby'), ['ann'])
  t.same(await a.presence.counts(['lobby']), [1])
  await server.start()
  const b = openPresence(t, { url: server.url })
  await eventually(lists('ann', b))
  await eventually(() => a.told.length === 2)
  t.same(a.scopes, ['everyone', 'elsewhere'])
})

t.test('a user who comes and goes while Redis is stopped leaves no data behind', async t => {
  const server = await startRedis(t)
  const a = openPresence(t, { url: server.url })
  await a.presence.list('lobby')
  server.signal('SIGSTOP')
  a.presence.enter(lobby, ann)
  await eventually(() => a.told.length === 1)
  a.presence.exit(lobby, ann)
  await eventually(() => a.told.length === 2)
  server.signal('SIGCONT')
  const b = openPresence(t, { url: server.url })
  b.presence.enter(lobby, bob)
  await eventually(lists('bob', a))
  await eventually(async () => (await b.presence.list('lobby')).join() === 'bob')
  const redis = new Redis(server.url)
  t.teardown(() => redis.disconnect())
  const epoch = await redis.get('p:presence:current')
  // The hash of departures keeps the field that shows that Redis has not lost it.
  await eventually(async () => await redis.hlen(`p:presence:${epoch}:left`) === 1)
})

t.test('close ends although Redis is stopped and never answers', async t => {
  const server = await startRedis(t)
  const a = openPresence(t, { url: server.url })
  a.presence.enter(lobby, ann)
  await eventually(() => a.told.length === 1)
  server.signal('SIGSTOP')
  await a.presence.close()
})

import { randomUUID } from 'node:crypto'
import { createRedisPresence, type RedisPresenceDeps } from '../../src/presence/redis.ts'
import { testPresence, type Watched } from '../contracts/presence.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'
import { ann, bob, lobby } from './people.ts'
import { lists, openPresence, QUICK } from './presences.ts'

const logger = { info () {}, warn () {} }
const shared = await startRedis(t)

const quick = { ...QUICK, pool_timeout: 1, logger }

testPresence('redis', announce => createRedisPresence({ ...quick, url: shared.url, prefix: randomUUID(), announce }))

const open = (test: Test, deps: Partial<RedisPresenceDeps> = {}): Watched => openPresence(test, { url: shared.url, ...deps })

t.test('[P23] a user on two instances is announced as joined once, and as left once when the last of them is left', async t => {
  const prefix = randomUUID()
  const [a, b] = [open(t, { prefix }), open(t, { prefix })]
  a.presence.enter(lobby, ann)
  await eventually(() => a.told.length === 1)
  b.presence.enter(lobby, ann)
  b.presence.enter(lobby, bob)
  await eventually(() => b.told.length === 1)
  t.same(await a.presence.list('lobby'), ['ann', 'bob'])
  t.same(await b.presence.counts(['lobby']), [2])
  a.presence.exit(lobby, ann)
  t.same(await a.presence.list('lobby'), ['ann', 'bob'])
  b.presence.exit(lobby, ann)
  await eventually(() => b.told.length === 2)
  t.same([a.told, b.told], [['user_joined ann'], ['user_joined bob', 'user_left ann']])
  t.same(await a.presence.list('lobby'), ['bob'])
})

t.test('[P23] a user who moves from one instance to another at once is not announced', async t => {
  const prefix = randomUUID()
  const [a, b] = [open(t, { prefix }), open(t, { prefix })]
  a.presence.enter(lobby, ann)
  await eventually(() => a.told.length === 1)
  a.presence.exit(lobby, ann)
  await eventually(async () => (await b.presence.list('lobby')).length === 0)
  b.presence.enter(lobby, ann)
  a.presence.enter(lobby, bob)
  await eventually(() => a.told.length === 2)
  a.presence.exit(lobby, bob)
  await eventually(() => a.told.length === 3)
  t.same(b.told, [])
  t.same(a.told, ['user_joined ann', 'user_joined bob', 'user_left bob'])
})

t.test('[P23] user_joined and user_left alternate while one user enters and leaves on two instances 500 times', async t => {
  const prefix = randomUUID()
  const told: string[] = []
  const both = [0, 1].map(() => {
    const presence = createRedisPresence({ ...quick, url: shared.url, prefix, coalesce: 10, announce: type => told.push(type) })
    t.teardown(() => presence.close())
    return presence
  })
  for (let i = 0; i < 500; i++) {
    for (const presence of both) {
      // The user is away most of the time, so that departures outlast the wait for a return.
      if (Math.random() < 0.1) presence.enter(lobby, ann)
      else presence.exit(lobby, ann)
    }
    await Promise.all(both.map(presence => presence.list('lobby')))
  }
  for (const presence of both) presence.exit(lobby, ann)
  await eventually(async () => (await both[0]!.counts(['lobby']))[0] === 0 && told.at(-1) === 'user_left')
  t.same(told, told.map((_, i) => i % 2 === 0 ? 'user_joined' : 'user_left'))
  t.comment(`${told.length} announcements`)
})

t.test('closing removes the users at once and leaves their departures for other instances to announce', async t => {
  const prefix = randomUUID()
  const [a, b] = [open(t, { prefix }), open(t, { prefix })]
  a.presence.enter(lobby, ann)
  a.presence.enter(lobby, bob)
  await eventually(lists('bob', b))
  await a.presence.close()
  t.same(await b.presence.list('lobby'), [])
  b.presence.enter(lobby, bob)
  await eventually(() => b.told.length === 1)
  t.same(b.told, ['user_left ann'], 'a user who came back meanwhile is not announced as left')
  t.same(a.told.filter(line => line.startsWith('user_left')), [])
})

t.test('an announcement that throws does not affect others', async t => {
  const told: string[] = []
  const presence = createRedisPresence({
    ...quick,
    url: shared.url,
    prefix: randomUUID(),
    announce (_type, _channel, user) {
      told.push(user.username)
      if (user === ann) throw new Error('announce')
    }
  })
  t.teardown(() => presence.close())
  presence.enter(lobby, ann)
  presence.enter(lobby, bob)
  await eventually(() => told.length === 2)
  t.same(await presence.list('lobby'), ['ann', 'bob'])
})

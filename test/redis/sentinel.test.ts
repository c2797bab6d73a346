import { eventually } from '../eventually.ts'
import { subscribe } from '../contracts/broker.ts'
import { arrives } from '../broker/brokers.ts'
import { lists } from '../presence/presences.ts'
import { freePort } from '../../scripts/service.ts'
import { ann, bob, lobby } from '../presence/people.ts'
import { t, type Test } from '../tap.ts'
import { startSentinels } from './servers.ts'
import { testRedis, topics, usersOf } from './suite.ts'

const { url, master, sentinels } = await startSentinels(t)
const users = usersOf(url)

testRedis(t, 'sentinel', users)

/** Opens a bus at this URL, which cannot be reached. @returns the reason that is logged. */
async function reasonAt (t: Test, url: string): Promise<unknown> {
  const { log, openBroker } = usersOf(url)
  const { broker } = await openBroker(t)
  t.equal(broker.connected, false)
  await broker.close()
  t.equal(log.length, 1, 'one line tells the state')
  return 'reason' in log[0]!.details && log[0]!.details.reason
}

t.test('sentinels that do not know the master, are no sentinels or cannot be reached are named in one line', async t => {
  const { port } = sentinels[0]!
  t.equal(await reasonAt(t, `redis+sentinel://127.0.0.1:${port}/other`), `sentinel 127.0.0.1:${port}: it knows no master other`)
  t.match(await reasonAt(t, `redis+sentinel://127.0.0.1:${master.port}/main`), /^this is no sentinel: write redis:\/\/ in REDIS_URL, or the/)
  const nobody = await freePort()
  t.match(await reasonAt(t, `redis+sentinel://127.0.0.1:${nobody}/main`), new RegExp(`^sentinel 127.0.0.1:${nobody}: .*ECONNREFUSED`))
})

t.test('[P33] [P23] when the master dies and a sentinel too, bus and presence follow to the replica that is promoted', async t => {
  const prefix = 'failover:'
  const [a, b] = [await users.openBroker(t, prefix), await users.openBroker(t, prefix)]
  const [here, there] = [users.openPresence(t, prefix), users.openPresence(t, prefix)]
  await subscribe(b, ...topics)
  await eventually(() => arrives(topics, a, b, 'before'))
  here.presence.enter(lobby, ann)
  there.presence.enter(lobby, bob)
  await eventually(async () => await lists('ann', here, there)() && await lists('bob', here, there)())

  await Promise.all([master.kill(), sentinels[0]!.kill()])
  await eventually(() => a.connected.length === 3 && b.connected.length === 3, 60_000)
  t.same([a.connected, b.connected], [[true, false, true], [true, false, true]])
  await eventually(() => arrives(topics, a, b, 'after'))
  await eventually(async () => await lists('ann', there)() && await lists('bob', here)(), 30_000)
  here.presence.exit(lobby, ann)
  await eventually(() => [...here.told, ...there.told].includes('user_left ann'))
  t.same([...here.told, ...there.told].sort(), ['user_joined ann', 'user_joined bob', 'user_left ann'])
})

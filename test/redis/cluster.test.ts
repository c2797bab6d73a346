import { choose, createParts, PARTS, slotOf } from '../../src/redis-parts.ts'
import { eventually } from '../eventually.ts'
import { notice, subscribe } from '../contracts/broker.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { arrives, texts } from '../broker/brokers.ts'
import { ann, bob } from '../presence/people.ts'
import { t, type Test } from '../tap.ts'
import { administer, startNode, startNodes } from './servers.ts'
import { rooms, testRedis, topics, usersOf } from './suite.ts'

const nodes = await startNodes(t)
const users = usersOf(nodes.url)

testRedis(t, 'cluster', users)

t.test('slots are computed as Redis does, and the parts of each use lie at equal distances, in slots of their own', async t => {
  const admin = administer(t, nodes.nodes[0]!)
  const parts = [...createParts('bus', 'parley:'), ...createParts('presence', 'parley:')]
  const tags = parts.map(({ prefix }) => /\{(.*)\}/.exec(prefix)![1]!)
  const slots = await Promise.all(parts.map(({ key }) => admin.cluster('KEYSLOT', key)))
  t.same(tags.map(slotOf), slots)
  t.equal(new Set(slots).size, parts.length)
  for (const [i, slot] of slots.entries()) t.equal(Math.floor(Number(slot) * PARTS / 16_384), i % PARTS)
})

t.test('a server that is in no cluster, and a cluster without slots, are named in one line for all parts', async t => {
  const reasonAt = async (port: number): Promise<unknown> => {
    const { log, openBroker } = usersOf(`redis+cluster://127.0.0.1:${port}`)
    const { broker } = await openBroker(t)
    t.equal(broker.connected, false)
    await broker.close()
    t.equal(log.length, 1)
    return 'reason' in log[0]!.details && log[0]!.details.reason
  }
  const alone = await startRedis(t)
  t.match(await reasonAt(alone.port), /^this server is in no cluster: write redis:\/\/ in REDIS_URL \(node 127.0.0.1:/)
  const empty = await startNode(t)
  t.match(await reasonAt(empty.port), /^a slot has no node, or too few nodes of the cluster are up \(node 127.0.0.1:.* CLUSTERDOWN/)
})

/** Two instances with topics and users in all parts. */
async function openPair (t: Test, prefix: string, beat?: number) {
  const [a, b] = [await users.openBroker(t, prefix, beat), await users.openBroker(t, prefix, beat)]
  const [here, there] = [users.openPresence(t, prefix), users.openPresence(t, prefix)]
  await subscribe(b, ...topics)
  await eventually(() => arrives(topics, a, b, 'before'))
  for (const room of rooms) {
    here.presence.enter(room, ann)
    there.presence.enter(room, bob)
  }
  const ids = rooms.map(({ id }) => id)
  const isComplete = async (): Promise<boolean> =>
    (await Promise.all([here, there].map(({ presence }) => presence.counts(ids)))).flat().every(count => count === 2)
  await eventually(isComplete)
  await eventually(() => here.told.length + there.told.length === 2 * rooms.length)
  users.log.length = 0
  return { a, b, here, there, isComplete, told: () => here.told.length + there.told.length }
}

t.test('[P33] [P23] when a slot moves, its topics and users follow to the other node, and the others notice nothing', async t => {
  const prefix = 'moving:'
  // Without beats, only what the node says of the slot can show the loss.
  const { a, b, isComplete, told } = await openPair(t, prefix, 3_600_000)
  const before = b.subscribed.length
  await nodes.move(choose(createParts('bus', prefix), topics[0]!).key)
  await eventually(() => a.connected.length === 3 && b.connected.length === 3)
  t.same([a.connected, b.connected], [[true, false, true], [true, false, true]])
  const again = b.subscribed.slice(before)
  t.ok(again.length > 0 && again.length < topics.length / 4, `${again.length} topics are reported again`)
  const rest = topics.filter(topic => !again.includes(topic))
  for (const topic of rest) a.broker.publish(topic, notice('unmoved'))
  await eventually(() => texts(b).filter(text => text === 'unmoved').length === rest.length)
  await eventually(() => arrives(topics, a, b, 'after'))
  t.equal(users.log.filter(({ text }) => text === 'message bus connected').length, 2, 'a line for each instance')
  t.match(users.log.find(({ text }) => text === 'message bus lost'), { details: { reason: /^a slot has moved to another node/ } })

  for (const part of createParts('presence', prefix).slice(0, 4)) await nodes.move(part.key)
  await eventually(() => users.log.some(({ text }) => text === 'presence lost'))
  await eventually(isComplete)
  t.equal(told(), 2 * rooms.length, 'nobody is announced')
})

t.test('[P33] [P23] when a master dies, its topics and users follow to the replica that is promoted', async t => {
  const prefix = 'dying:'
  const { a, b, here, there, isComplete, told } = await openPair(t, prefix)
  const victim = await nodes.serverOf(createParts('bus', prefix)[3]!.key)
  await victim.kill()
  await eventually(() => a.connected.length >= 3 && b.connected.length >= 3 && a.broker.connected && b.broker.connected, 60_000)
  await eventually(() => arrives(topics, a, b, 'after'))
  await eventually(isComplete, 30_000)
  t.equal(told(), 2 * rooms.length, 'nobody is announced')
  for (const room of rooms) here.presence.exit(room, ann)
  await eventually(() => told() === 3 * rooms.length)
  t.equal([...here.told, ...there.told].filter(line => line === 'user_left ann').length, rooms.length)
})

import type { Topic } from '../../src/broker/broker.ts'
import { startBlackhole, type Direction, type ProxiedConnection } from '../blackhole.ts'
import { notice, subscribe } from '../contracts/broker.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'
import { arrives, startBrokers } from './brokers.ts'

const { log, shared, open } = await startBrokers(t)
const topics: Topic[] = Array.from({ length: 20 }, (_, i) => `channel:${i}` as const)

/** Two instances, of which `a` reaches Redis over a proxy. Commands may take a minute, so no time-out of a command helps. */
async function openPair (t: Test) {
  const proxy = await startBlackhole(t, shared.port)
  const prefix = `${t.name}:`
  const a = await open(t, { url: `redis://127.0.0.1:${proxy.port}`, prefix, pool_size: 10, pool_timeout: 60 })
  const b = await open(t, { prefix })
  await subscribe(a, ...topics)
  await subscribe(b, ...topics)
  // `a` must know of `b`, or it publishes nothing.
  await eventually(() => arrives(topics, a, b, 'first'))
  a.connected.length = a.subscribed.length = 0
  log.length = 0
  return { proxy, a, b }
}

const isSubscriber = ({ said }: ProxiedConnection): boolean => said.includes('subscribe')

for (const direction of ['both', 'to server', 'to client'] satisfies Direction[]) {
  t.test(`[P33] 9 of 10 publishing connections that swallow ${direction} are noticed, the state says so, and all are replaced`, async t => {
    const { proxy, a, b } = await openPair(t)
    const publishers = proxy.open.filter(connection => !isSubscriber(connection))
    t.equal(publishers.length, 10)
    for (const connection of publishers.slice(1)) connection.swallow(direction)
    await eventually(() => a.connected.length === 2)
    t.same(a.connected, [false, true])
    t.same(a.subscribed.toSorted(), topics.toSorted(), 'all topics are caught up with')
    await eventually(() => arrives(topics, a, b, 'after'))
    await eventually(() => arrives(topics, b, a, 'back'))
    t.equal(proxy.open.filter(connection => !isSubscriber(connection)).length, 10)
    t.same(log.map(({ text }) => text), ['message bus lost', 'message bus connected'])
  })
}

t.test('[P33] one publishing connection that swallows is enough to replace all', async t => {
  const { proxy, a, b } = await openPair(t)
  proxy.open.filter(connection => !isSubscriber(connection))[7]!.swallow('both')
  await eventually(() => a.connected.length === 2)
  await eventually(() => arrives(topics, a, b, 'after'))
})

for (const direction of ['both', 'to server', 'to client'] satisfies Direction[]) {
  t.test(`[P33] a subscribing connection that swallows ${direction} is replaced`, async t => {
    const { proxy, a, b } = await openPair(t)
    proxy.open.find(isSubscriber)!.swallow(direction)
    await eventually(() => a.connected.length === 2)
    await eventually(() => arrives(topics, b, a, 'after'))
  })
}

t.test('[P33] while new connections are swallowed too, the bus stays down; afterwards it is up by itself', async t => {
  const { proxy, a, b } = await openPair(t)
  proxy.swallowNew(true)
  for (const connection of proxy.open) connection.swallow('both')
  await eventually(() => !a.broker.connected)
  const dropped = a.broker.dropped
  a.broker.publish(topics[0]!, notice('nobody hears this'))
  t.equal(a.broker.dropped, dropped + 1)
  await eventually(() => log.some(({ text }) => text === 'message bus cannot be reached'))
  t.equal(a.broker.connected, false)
  proxy.swallowNew(false)
  await eventually(() => a.broker.connected)
  t.same(a.connected, [false, true])
  await eventually(() => arrives(topics, a, b, 'after'))
})

t.test('[P33] a message that is dropped takes the bus down and up again, so that its receivers are caught up with', async t => {
  const { proxy, a, b } = await openPair(t)
  for (const connection of proxy.open) connection.swallow('to server')
  for (let i = 0; a.broker.dropped === 0; i++) a.broker.publish('channel:1', notice(`${i}`))
  await eventually(() => a.connected.length === 2)
  t.same(a.connected, [false, true])
  t.match(log[0], { text: 'message bus lost', details: { reason: 'too many messages wait for Redis' } })
  t.same(a.subscribed.toSorted(), topics.toSorted())
  await eventually(() => arrives(topics, a, b, 'after'))
})

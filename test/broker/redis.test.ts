import { randomUUID } from 'node:crypto'
import type { BusEvent, Topic } from '../../src/broker/broker.ts'
import { notice, subscribe, testBroker, textOf } from '../contracts/broker.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { startBrokers, texts } from './brokers.ts'

const { create, open } = await startBrokers(t)

testBroker('redis', () => create())

t.test('two instances receive the events of each other, each event once and unchanged', async t => {
  const prefix = `${randomUUID()}:`
  const [a, b] = [await open(t, { prefix }), await open(t, { prefix })]
  await subscribe(a, 'channel:1', 'broadcast')
  await subscribe(b, 'channel:1', 'broadcast')
  const sent: BusEvent[] = [
    { kind: 'entries', firstSeq: 2 ** 40, frames: Buffer.from('abcdef'), ends: [1, 3, 6] },
    notice('ä'),
    { kind: 'control', action: { type: 'membership_ended', userIds: ['u'], aclVersion: 3 } }
  ]
  for (const event of sent) a.broker.publish('channel:1', event)
  await eventually(() => b.events.length >= 3)
  b.broker.publish('broadcast', notice('back'))
  await eventually(() => a.events.length >= 4)
  t.same(b.events.slice(0, 3), sent.map(event => ({ topic: 'channel:1', event })))
  t.same(texts(a), [undefined, 'ä', undefined, 'back'], 'an instance receives no echo of its own events')
})

t.test('an event with the scope elsewhere arrives only at other instances', async t => {
  const prefix = `${randomUUID()}:`
  const [a, b] = [await open(t, { prefix }), await open(t, { prefix })]
  await subscribe(a, 'channel:1')
  await subscribe(b, 'channel:1')
  a.broker.publish('channel:1', notice('x'), 'elsewhere')
  await eventually(() => b.events.length === 1)
  t.same(a.events, [])
})

t.test('unsubscribing stops delivery from other instances', async t => {
  const prefix = `${randomUUID()}:`
  const [a, b] = [await open(t, { prefix }), await open(t, { prefix })]
  await subscribe(b, 'channel:1', 'channel:2')
  b.broker.unsubscribe('channel:1')
  a.broker.publish('channel:1', notice('no'))
  a.broker.publish('channel:2', notice('yes'))
  await eventually(() => b.events.length > 0)
  t.same(texts(b), ['yes'])
})

t.test('an instance with another prefix receives nothing', async t => {
  const prefix = `${randomUUID()}:`
  const [a, b, stranger] = [await open(t, { prefix }), await open(t, { prefix }), await open(t)]
  await subscribe(b, 'channel:1')
  await subscribe(stranger, 'channel:1')
  a.broker.publish('channel:1', notice('x'))
  await eventually(() => b.events.length > 0)
  t.same(stranger.events, [])
})

t.test('under load on all connections the events of each topic arrive in order, and none is lost', async t => {
  const prefix = `${randomUUID()}:`
  // The beats wait behind the events, and two that are late would replace the connections.
  const [a, b] = [await open(t, { prefix, beat: 5000 }), await open(t, { prefix, beat: 5000 })]
  const topics: Topic[] = Array.from({ length: 20 }, (_, i) => `channel:${i}` as const)
  await subscribe(b, ...topics)
  for (let round = 0; round < 500; round++) {
    for (const topic of topics) a.broker.publish(topic, notice(String(round)))
    if (round % 10 === 9) await new Promise(resolve => setImmediate(resolve))
  }
  await eventually(() => b.events.length >= 10_000)
  const expected = Array.from({ length: 500 }, (_, i) => String(i))
  for (const topic of topics) t.same(b.events.filter(event => event.topic === topic).map(({ event }) => textOf(event)), expected)
  t.equal(a.broker.dropped, 0)
})

t.test('an instance that was alone publishes to an instance that starts later', async t => {
  const prefix = `${randomUUID()}:`
  const a = await open(t, { prefix })
  a.broker.publish('channel:1', notice('nobody'))
  const b = await open(t, { prefix })
  await subscribe(b, 'channel:1')
  a.broker.publish('channel:1', notice('somebody'))
  await eventually(() => b.events.length > 0)
  t.same(texts(b), ['somebody'])
})

t.test('events that are published just before close still arrive', async t => {
  const prefix = `${randomUUID()}:`
  const [a, b] = [await open(t, { prefix, pool_size: 10 }), await open(t, { prefix })]
  const topics: Topic[] = Array.from({ length: 20 }, (_, i) => `channel:${i}` as const)
  await subscribe(b, ...topics)
  for (const topic of topics) a.broker.publish(topic, notice('last'))
  await a.broker.close()
  await eventually(() => b.events.length === topics.length)
})

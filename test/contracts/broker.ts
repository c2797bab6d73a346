import type { Broker, BusEvent, Topic } from '../../src/broker/broker.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'

/** A broker and everything that its handlers have received. */
export interface Listener {
  broker: Broker
  events: Array<{ topic: Topic, event: BusEvent }>
  subscribed: Topic[]
  connected: boolean[]
}

/** Starts `broker` with handlers that record everything they receive. */
export async function listen (broker: Broker): Promise<Listener> {
  const listener: Listener = { broker, events: [], subscribed: [], connected: [] }
  await broker.start({
    onEvent (topic, event) { listener.events.push({ topic, event }) },
    onSubscribed (topics) { listener.subscribed.push(...topics) },
    onConnected (connected) { listener.connected.push(connected) }
  })
  return listener
}

/** Subscribes and waits for the confirmation. */
export async function subscribe (listener: Listener, ...topics: Topic[]): Promise<void> {
  const before = listener.subscribed.length
  for (const topic of topics) listener.broker.subscribe(topic)
  await eventually(() => topics.every(topic => listener.subscribed.slice(before).includes(topic)))
}

export function notice (text: string): BusEvent {
  return { kind: 'notice', frame: Buffer.from(text) }
}

export function textOf (event: BusEvent): string | undefined {
  return event.kind === 'notice' ? event.frame.toString() : undefined
}

/** Tests what every broker does for its own instance. `create` makes a broker that shares its topics with no other. */
export function testBroker (name: string, create: () => Broker): void {
  const open = async (test: Test) => {
    const listener = await listen(create())
    test.teardown(() => listener.broker.close())
    return listener
  }

  t.test(`${name}: a broker is connected once it has started`, async t => {
    const { broker } = await open(t)
    t.equal(broker.connected, true)
  })

  t.test(`${name}: an instance receives its own events before publish returns, even before the subscription is confirmed`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.publish('channel:1', notice('a'))
    t.same(events, [{ topic: 'channel:1', event: notice('a') }])
  })

  t.test(`${name}: events of every kind arrive unchanged`, async t => {
    const { broker, events } = await open(t)
    const sent: BusEvent[] = [
      { kind: 'entries', firstSeq: 7, frames: Buffer.from('abcdef'), ends: [1, 3, 6] },
      notice('x'),
      { kind: 'control', action: { type: 'disconnect', reason: 'session_revoked', sid: 's' } }
    ]
    broker.subscribe('user:1')
    for (const event of sent) broker.publish('user:1', event)
    t.same(events.map(({ event }) => event), sent)
  })

  t.test(`${name}: an event with the scope elsewhere does not arrive at its own instance`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.publish('channel:1', notice('a'), 'elsewhere')
    broker.publish('channel:1', notice('b'))
    t.same(events.map(({ event }) => textOf(event)), ['b'])
  })

  t.test(`${name}: no event arrives without a subscription or after its end`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.unsubscribe('channel:1')
    broker.publish('channel:1', notice('a'))
    broker.publish('channel:2', notice('b'))
    t.same(events, [])
  })

  t.test(`${name}: a subscription is confirmed after subscribe has returned`, async t => {
    const listener = await open(t)
    listener.broker.subscribe('broadcast')
    t.same(listener.subscribed, [])
    await eventually(() => listener.subscribed.includes('broadcast'))
  })

  t.test(`${name}: subscribing to the same topic twice is confirmed once`, async t => {
    const listener = await open(t)
    await subscribe(listener, 'channel:1')
    listener.broker.subscribe('channel:1')
    await subscribe(listener, 'channel:2')
    t.same(listener.subscribed, ['channel:1', 'channel:2'])
  })

  t.test(`${name}: subscribing again right after unsubscribing is confirmed again`, async t => {
    const listener = await open(t)
    await subscribe(listener, 'channel:1')
    listener.broker.unsubscribe('channel:1')
    await subscribe(listener, 'channel:1')
    t.same(listener.subscribed, ['channel:1', 'channel:1'])
  })

  t.test(`${name}: a subscription made before the start is confirmed after it`, async t => {
    const broker = create()
    broker.subscribe('channel:1')
    const listener = await listen(broker)
    t.teardown(() => broker.close())
    await eventually(() => listener.subscribed.includes('channel:1'))
  })

  t.test(`${name}: no event and no confirmation arrives after close`, async t => {
    const { broker, events, subscribed } = await open(t)
    broker.subscribe('channel:1')
    await broker.close()
    broker.publish('channel:1', notice('a'))
    await new Promise(resolve => setImmediate(resolve))
    t.same(events, [])
    t.same(subscribed, [])
  })
}

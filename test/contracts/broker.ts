import type { Broker, BusEvent, Topic } from '../../src/broker/broker.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'

/** A broker with a record of what it told. */
export interface Listener {
  broker: Broker
  events: Array<{ topic: Topic, event: BusEvent }>
  subscribed: Topic[]
  connected: boolean[]
}

/** Starts `broker` with handlers that write all down. */
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

/** What every broker does for its own instance. `create` gives a broker that nothing else talks to. */
export function testBroker (name: string, create: () => Broker): void {
  const open = async (test: Test) => {
    const listener = await listen(create())
    test.teardown(() => listener.broker.close())
    return listener
  }

  t.test(`${name}: is connected once started`, async t => {
    const { broker } = await open(t)
    t.equal(broker.connected, true)
  })

  t.test(`${name}: one's own events arrive before publish returns, also before the subscription is confirmed`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.publish('channel:1', notice('a'))
    t.same(events, [{ topic: 'channel:1', event: notice('a') }])
  })

  t.test(`${name}: all kinds of events arrive as they were`, async t => {
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

  t.test(`${name}: an event for elsewhere does not arrive here`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.publish('channel:1', notice('a'), 'elsewhere')
    broker.publish('channel:1', notice('b'))
    t.same(events.map(({ event }) => textOf(event)), ['b'])
  })

  t.test(`${name}: nothing arrives on a topic that was not subscribed to, or no longer is`, async t => {
    const { broker, events } = await open(t)
    broker.subscribe('channel:1')
    broker.unsubscribe('channel:1')
    broker.publish('channel:1', notice('a'))
    broker.publish('channel:2', notice('b'))
    t.same(events, [])
  })

  t.test(`${name}: a subscription is confirmed, later than asked for`, async t => {
    const listener = await open(t)
    listener.broker.subscribe('broadcast')
    t.same(listener.subscribed, [])
    await eventually(() => listener.subscribed.includes('broadcast'))
  })

  t.test(`${name}: subscribing twice is confirmed once`, async t => {
    const listener = await open(t)
    await subscribe(listener, 'channel:1')
    listener.broker.subscribe('channel:1')
    await subscribe(listener, 'channel:2')
    t.same(listener.subscribed, ['channel:1', 'channel:2'])
  })

  t.test(`${name}: who gives a topic up and wants it again at once gets a confirmation`, async t => {
    const listener = await open(t)
    await subscribe(listener, 'channel:1')
    listener.broker.unsubscribe('channel:1')
    await subscribe(listener, 'channel:1')
    t.same(listener.subscribed, ['channel:1', 'channel:1'])
  })

  t.test(`${name}: what was subscribed to before the start is confirmed after it`, async t => {
    const broker = create()
    broker.subscribe('channel:1')
    const listener = await listen(broker)
    t.teardown(() => broker.close())
    await eventually(() => listener.subscribed.includes('channel:1'))
  })

  t.test(`${name}: nothing arrives after close`, async t => {
    const { broker, events, subscribed } = await open(t)
    broker.subscribe('channel:1')
    await broker.close()
    broker.publish('channel:1', notice('a'))
    await new Promise(resolve => setImmediate(resolve))
    t.same(events, [])
    t.same(subscribed, [])
  })
}

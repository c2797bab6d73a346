import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Topic } from '../../src/broker/broker.ts'
import { notice, subscribe, textOf } from '../contracts/broker.ts'
import { reserveRedis, startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { startBrokers, texts } from './brokers.ts'

const { log, shared, create, open } = await startBrokers(t)

t.test('[P33] the broker notices a stopped Redis, delivers locally, and confirms all subscriptions again afterwards', async t => {
  const server = await startRedis(t)
  const [a, b] = [await open(t, { url: server.url, prefix: 'p:' }), await open(t, { url: server.url, prefix: 'p:' })]
  await subscribe(a, 'channel:1')
  await subscribe(b, 'channel:1', 'channel:2')
  a.connected.length = b.connected.length = b.subscribed.length = 0

  server.signal('SIGSTOP')
  await eventually(() => !a.broker.connected && !b.broker.connected)
  a.broker.publish('channel:1', notice('local'))
  t.same(texts(a), ['local'])

  server.signal('SIGCONT')
  await eventually(() => a.broker.connected && b.broker.connected)
  t.same([a.connected, b.connected], [[false, true], [false, true]])
  t.same(b.subscribed.toSorted(), ['channel:1', 'channel:2'])
  a.broker.publish('channel:1', notice('again'))
  await eventually(() => texts(b).includes('again'))
})

t.test('[P33] the bus works again after Redis is killed and restarted empty', async t => {
  const server = await startRedis(t)
  const [a, b] = [await open(t, { url: server.url, prefix: 'p:' }), await open(t, { url: server.url, prefix: 'p:' })]
  await subscribe(b, 'channel:1')
  await server.kill()
  await eventually(() => !a.broker.connected && !b.broker.connected)
  b.broker.subscribe('channel:2')
  b.broker.unsubscribe('channel:1')
  a.broker.publish('channel:1', notice('lost'))
  b.subscribed.length = 0

  await server.start()
  await eventually(() => a.broker.connected && b.broker.connected)
  t.same(b.subscribed, ['channel:2'], 'only current subscriptions are confirmed')
  a.broker.publish('channel:2', notice('again'))
  await eventually(() => b.events.length > 0)
  t.same(texts(b), ['again'])
  t.equal(a.broker.dropped, 1)
})

t.test('without Redis the broker starts unconnected, and connects when Redis is available', async t => {
  const server = await reserveRedis(t)
  const a = await open(t, { url: server.url })
  t.equal(a.broker.connected, false)
  a.broker.subscribe('channel:1')
  a.broker.publish('channel:1', notice('local'))
  t.same(texts(a), ['local'])

  await server.start()
  await eventually(() => a.broker.connected)
  t.same(a.connected, [true])
  t.same(a.subscribed, ['channel:1'])
})

t.test('with a stopped Redis the broker starts unconnected, and it closes although Redis never answers', async t => {
  const server = await startRedis(t)
  server.signal('SIGSTOP')
  const a = await open(t, { url: server.url })
  t.equal(a.broker.connected, false)
  await a.broker.close()
})

t.test('close ends although Redis stops while the broker is connected and publishes are outstanding', async t => {
  const server = await startRedis(t)
  const [a, b] = [await open(t, { url: server.url, prefix: 'p:' }), await open(t, { url: server.url, prefix: 'p:' })]
  await subscribe(b, 'channel:1')
  server.signal('SIGSTOP')
  for (let i = 0; i < 100; i++) a.broker.publish('channel:1', notice('x'))
  await Promise.all([a.broker.close(), b.broker.close()])
})

t.test('the queue of publishes to a stopped Redis is bounded, and messages without room are dropped and counted', async t => {
  const server = await startRedis(t)
  const deps = { url: server.url, prefix: 'p:', beat: 60_000 }
  const [a, b] = [await open(t, deps), await open(t, deps)]
  await subscribe(b, 'channel:1')
  // `b` greeted `a` when it started, so `a` knows that it is not alone and publishes.
  b.broker.publish('broadcast', notice('x'))
  server.signal('SIGSTOP')
  for (let i = 0; i < 30_000; i++) a.broker.publish('channel:1', notice('x'))
  t.equal(a.broker.dropped, 10_000)
})

t.test('the broker reconnects when the server ends its publishing and then its subscribing connections, and no error is fatal', async t => {
  const server = await startRedis(t)
  const [a, b] = [await open(t, { url: server.url, prefix: 'p:' }), await open(t, { url: server.url, prefix: 'p:' })]
  const topics: Topic[] = ['channel:1', 'channel:2', 'channel:3', 'channel:4', 'channel:5']
  await subscribe(b, ...topics)
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  for (const topic of topics) a.broker.publish(topic, notice('before'))
  await eventually(() => b.events.length === topics.length)
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await eventually(() => a.connected.includes(false) && b.connected.includes(false))
  await eventually(() => a.broker.connected && b.broker.connected)
  b.events.length = 0
  for (const topic of topics) a.broker.publish(topic, notice('after'))
  await eventually(() => b.events.length === topics.length)
})

t.test('[P33] the loss of a single publishing connection replaces all, and the state says so', async t => {
  const server = await startRedis(t)
  const a = await open(t, { url: server.url, prefix: 'p:' })
  await subscribe(a, 'channel:1')
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  const clients = String(await admin.client('LIST')).split('\n')
  const publishers = clients.filter(line => line.includes('cmd=eval')).map(line => /id=(\d+)/.exec(line)![1]!)
  // The first connection also counts the other instances, so its last command may be another.
  t.ok(publishers.length >= 2)
  a.connected.length = a.subscribed.length = 0
  await admin.call('CLIENT', 'KILL', 'ID', publishers.at(-1)!)
  await eventually(() => a.connected.length === 2)
  t.same(a.connected, [false, true])
  t.same(a.subscribed, ['channel:1'])
})

t.test('a message that cannot be decoded, or whose handler throws, does not affect other messages', async t => {
  const prefix = `${randomUUID()}:`
  const a = await open(t, { prefix })
  const b = create({ prefix })
  t.teardown(() => b.close())
  const heard: Array<string | undefined> = []
  let confirmed = false
  await b.start({
    onEvent (_topic, event) {
      heard.push(textOf(event))
      if (textOf(event) === 'bad') throw new Error('handler')
    },
    onSubscribed () { confirmed = true },
    onConnected () {}
  })
  b.subscribe('channel:1')
  await eventually(() => confirmed)
  log.length = 0
  const stranger = new Redis(shared.url)
  t.teardown(() => stranger.disconnect())
  await stranger.publish(`${prefix}channel:1`, 'nonsense, of more than ten bytes')
  a.broker.publish('channel:1', notice('bad'))
  a.broker.publish('channel:1', notice('good'))
  await eventually(() => heard.includes('good'))
  t.same(heard, ['bad', 'good'])
  const expected = ['message bus: a handler threw', 'message bus: a message that is not understood was dropped']
  t.same(log.map(({ text }) => text).toSorted(), expected)
})

t.test('a stall of the event loop of an instance does not count as a lost bus', async t => {
  const prefix = `${randomUUID()}:`
  const a = await open(t, { prefix })
  const observer = new Redis(shared.url)
  t.teardown(() => observer.disconnect())
  let beats = 0
  observer.on('pmessage', () => { beats++ })
  await observer.psubscribe(`${prefix}beat:*`)
  for (let i = 0; i < 3; i++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    // The first beat may have been sent before the stall, so the test waits for two.
    const before = beats
    await eventually(() => beats >= before + 2)
  }
  t.equal(a.broker.connected, true)
  t.same(a.connected, [true])
})

t.test('with a wrong password the broker stays unconnected and logs one line, which does not contain the password', async t => {
  const server = await startRedis(t, ['--requirepass', 'right'])
  log.length = 0
  const url = `redis://:very-wrong@127.0.0.1:${server.port}`
  const a = await open(t, { url })
  t.equal(a.broker.connected, false)
  const observer = new Redis(`redis://:right@127.0.0.1:${server.port}`)
  t.teardown(() => observer.disconnect())
  await eventually(async () => await accepted(observer) > 5)
  t.equal(log.length, 1)
  t.match(log[0], { level: 'warn', details: { reason: /WRONGPASS/ } })
  t.notMatch(JSON.stringify(log), 'very-wrong')

  const good = await open(t, { url: `redis://:right@127.0.0.1:${server.port}` })
  t.equal(good.broker.connected, true)
  const none = await open(t, { url: server.url })
  t.equal(none.broker.connected, false)
  t.match(log.at(-1), { details: { reason: /NOAUTH/ } })
})

t.test('each change of the connection state is logged in one line', async t => {
  const server = await startRedis(t)
  log.length = 0
  const a = await open(t, { url: server.url })
  await server.kill()
  await eventually(() => !a.broker.connected)
  await server.start()
  await eventually(() => a.broker.connected)
  t.equal(log[0]!.text, 'message bus connected')
  t.equal(log[1]!.text, 'message bus lost')
  t.equal(log.at(-1)!.text, 'message bus connected')
  t.ok(log.length <= 4, 'at most one more line is logged, for another reason')
})

/** Number of connections that the server has accepted so far. */
async function accepted (observer: Redis): Promise<number> {
  return Number(/total_connections_received:(\d+)/.exec(await observer.info('stats'))![1])
}

t.test('[P60] the same warning is logged at most once a second, with the number of suppressed ones', async t => {
  const prefix = `${randomUUID()}:`
  const listener = await open(t, { prefix })
  await subscribe(listener, 'channel:1')
  log.length = 0
  const stranger = new Redis(shared.url)
  t.teardown(() => stranger.disconnect())
  const began = performance.now()
  for (let i = 0; i < 500; i++) await stranger.publish(`${prefix}channel:1`, `nonsense ${i}`)
  await eventually(async () => {
    await stranger.publish(`${prefix}channel:1`, 'nonsense')
    return log.length >= 2
  })
  t.ok(log.length <= Math.ceil((performance.now() - began) / 1000) + 1)
  t.match(log[1], { level: 'warn', details: { topic: 'channel:1', unsaid: Number } })
  t.same(listener.events, [])
})

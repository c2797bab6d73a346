import type { Config } from '../../src/config-schema.ts'
import type { Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { connectRaw, handshake, openSocket, text } from './raw.ts'

const start = (t: Test, limits: Partial<Config['limits']>, server: Partial<Config['server']> = {}) =>
  startServer(t, { config: { limits, server } })

const refused = { type: 'error', code: 'rate_limited', message: 'Too many requests', retry_after_ms: Number }

/** Sends an upgrade request and waits for the head of its answer. */
const upgrade = (t: Test, { port }: Server, headers: Record<string, string> = {}) => openSocket(t, port, handshake(headers)).answered()

/**
 * Asks until a used-up limit of `rate` a second refuses, and returns that refusal.
 * @throws Error if more passes than the limit has regained since `began`.
 */
async function untilRefused<T> (rate: number, began: number, ask: () => Promise<T>, isRefusal: (answer: T) => boolean): Promise<T> {
  for (let passed = 1; ; passed++) {
    const answer = await ask()
    if (isRefusal(answer)) return answer
    if (passed > rate * (performance.now() - began) / 1000) throw new Error(`${passed} more pass`)
  }
}

/** Checks that the limit of `rate` a second, which is used up, refuses this frame. */
async function isUsedUp (client: Client, frame: object, rate: number, began: number): Promise<void> {
  t.match(await untilRefused(rate, began, () => client.exchange(frame), ({ code }) => code === 'rate_limited'), refused)
}

/** Checks that the answer is 429 with Retry-After. */
function isRefused (t: Test, { status, head }: { status: number, head: string }, what: string): void {
  t.equal(status, 429, what)
  t.match(head, /^retry-after: [1-9]\d*\r$/im, what)
}

t.test('[P35] [P8] a frame over the limit is answered rate_limited in order, with its ref, and the same frame passes later', async t => {
  const server = await start(t, { connection_frames: 2 })
  const frames = Array.from({ length: 30 }, (_, i) => text({ type: 'heartbeat', ref: i }))
  const client = await connectRaw(t, server.port, Buffer.concat(frames))
  const replies = await client.replies(30)
  t.match(replies, Array.from({ length: 30 }, (_, ref) => ref < 20 ? { type: 'heartbeat_ack', ref } : { ...refused, ref }))
  t.ok(replies.slice(20).every(({ retry_after_ms: told }) => told > 0 && told <= 500))
  let ref = 30
  await eventually(async () => {
    client.write(text({ type: 'heartbeat', ref }))
    return (await client.replies(++ref)).at(-1)!.type === 'heartbeat_ack'
  })
})

t.test('[P35] [P7] messages over the limit are refused in order, and exactly the acked messages are stored', async t => {
  const server = await start(t, { connection_frames: 2 })
  const ann = await server.enter('ann', 'general')
  for (let ref = 0; ref < 30; ref++) ann.send({ type: 'send_message', channel: 'general', message: 'x', ref })
  const replies = []
  for (let i = 0; i < 30; i++) replies.push(await ann.expect(frame => 'ref' in frame))
  const acked = replies.filter(({ type }) => type === 'success').length
  t.ok(acked >= 18 && acked < 30, `${acked} acked`)
  t.match(replies, Array.from({ length: 30 }, (_, ref) => ({ ref })))
  t.equal(await server.database.prisma.message.count(), acked)
})

t.test('[P35] bytes, joins and commands have limits of their own, and frames that get other errors count too', async t => {
  const server = await start(t, { connection_bytes: 1024, connection_joins: 1, connection_commands: 1 })
  const ann = await server.enter('ann')
  const began = performance.now()
  const codes = async (count: number, frame: object): Promise<string[]> => {
    const replies = await Promise.all(Array.from({ length: count }, () => ann.exchange(frame)))
    return [...new Set(replies.map(({ code, action }) => code ?? action))]
  }
  t.same(await codes(10, { type: 'join_channel', channel: 'general' }), ['channel_joined'])
  await isUsedUp(ann, { type: 'join_channel', channel: 'general' }, 1, began)
  t.same(await codes(10, { command: 'shout' }), ['unknown_command'])
  await isUsedUp(ann, { command: 'create_channel', name: 'general' }, 1, began)
  t.match(await ann.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
  t.same(await codes(8, { type: 'send_message', channel: 'general', message: 'x'.repeat(900) }), ['message_sent'])
  t.match(await ann.exchange({ type: 'send_message', channel: 'general', message: 'x'.repeat(4000) }), refused)
  t.match(await ann.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
})

t.test('[P9] limits are checked after JSON and before everything else', async t => {
  const server = await start(t, { connection_frames: 1 })
  const began = performance.now()
  const client = await server.connect()
  for (let i = 0; i < 10; i++) t.match(await client.exchange({ type: 'shout' }), { code: 'unknown_type' })
  await isUsedUp(client, { type: 'shout' }, 1, began)
  client.send('{')
  await client.expectError('invalid_json')
})

t.test('[P35] all connections of a user share the limits of the user, and reconnecting does not refill them', async t => {
  const server = await start(t, { user_frames: 2 })
  const [ann, ben] = [await server.register('ann'), await server.register('ben')]
  const began = performance.now()
  const first = await server.login(ann)
  for (let i = 0; i < 20; i++) await first.exchange({ type: 'heartbeat' })
  const second = await server.login(ann)
  await isUsedUp(second, { type: 'heartbeat' }, 2, began)
  await first.close()
  await isUsedUp(await server.login(ann), { type: 'heartbeat' }, 2, began)
  t.match(await (await server.login(ben)).exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
})

t.test('[P35] [P13] a user may have user_connections connections, and a fresh token does not count as another one', async t => {
  const server = await start(t, { user_connections: 2 })
  const ann = await server.register('ann')
  const first = await server.login(ann)
  await server.login(ann)
  const third = await server.connect()
  t.match(await third.exchange({ type: 'authenticate', token: ann.access_token }), refused)
  t.match(await third.exchange({ type: 'channel_list' }), { code: 'not_authenticated' })
  await first.request({ type: 'authenticate', token: ann.access_token })
  await first.close()
  await eventually(async () => (await third.exchange({ type: 'authenticate', token: ann.access_token })).type === 'success')
})

t.test('[P5] an address with too many connections or too many upgrades a second gets 429 with Retry-After', async t => {
  const few = await start(t, { address_connections: 3 })
  const sockets = Array.from({ length: 10 }, () => openSocket(t, few.port, handshake()))
  const answers = await Promise.all(sockets.map(socket => socket.answered()))
  t.equal(answers.filter(({ status }) => status === 101).length, 3)
  for (const answer of answers.filter(({ status }) => status !== 101)) isRefused(t, answer, 'a fourth connection')
  for (const { socket } of sockets) socket.destroy()
  await eventually(async () => (await upgrade(t, few)).status === 101)

  const slow = await start(t, { address_upgrades: 1 })
  const began = performance.now()
  for (let i = 0; i < 10; i++) t.equal((await upgrade(t, slow)).status, 101)
  const answer = await untilRefused(1, began, () => upgrade(t, slow), ({ status }) => status !== 101)
  isRefused(t, answer, 'more upgrades than one a second')
  t.equal((await slow.call('GET', '/healthz')).status, 200, 'other requests are served')
  await eventually(async () => (await upgrade(t, slow)).status === 101)
})

t.test('[P35] [P56] a trusted proxy may send an address in any usual form; IPv6 counts by /64, other text as it is', async t => {
  const server = await start(t, { address_connections: 1 }, { trust_proxy: 'loopback' })
  const status = async (from: string): Promise<number> => (await upgrade(t, server, { 'X-Forwarded-For': from })).status
  t.equal(await status('192.0.2.1'), 101)
  t.equal(await status('192.0.2.1'), 429)
  t.equal(await status('::ffff:192.0.2.1'), 429)
  t.equal(await status('192.0.2.2'), 101)
  t.equal(await status('2001:db8:1:2::1'), 101)
  t.equal(await status('2001:DB8:1:2:ffff::5'), 429)
  t.equal(await status('2001:db8:1:3::1'), 101)
  for (const same of ['192.0.2.1:4711', '::ffff:c000:201', '[::ffff:192.0.2.1]:80', '"192.0.2.1:1"']) t.equal(await status(same), 429, same)
  for (const same of ['[2001:db8:1:2::9]', '[2001:db8:1:2::9]:4711', '"[2001:db8:1:2::9]:1"']) t.equal(await status(same), 429, same)
  t.equal(await status('192.0.2.9:4711, 127.0.0.1:80'), 101, 'a trusted proxy may have a port')
  t.equal(await status('192.0.2.9'), 429)
  t.equal(await status('nonsense'), 101)
  t.equal(await status('nonsense'), 429)
  t.equal(await status('other nonsense'), 101)
  const told = server.lines.filter(line => line.includes('X-Forwarded-For')).map(line => JSON.parse(line))
  t.match(told, [{ level: 40, address: 'nonsense' }])
  t.notMatch(server.lines.join(), 'TRUST_PROXY')
})

t.test('without a trusted proxy a forged address is ignored, and one log line says how to configure a real proxy', async t => {
  const server = await start(t, { address_connections: 1 })
  const forged = { 'X-Forwarded-For': '192.0.2.1' }
  t.equal((await upgrade(t, server, forged)).status, 101)
  isRefused(t, await upgrade(t, server), 'without the header')
  t.notMatch(server.lines.join(), 'TRUST_PROXY')
  for (let i = 0; i < 3; i++) isRefused(t, await upgrade(t, server, { 'X-Forwarded-For': `192.0.2.${i}` }), 'with a forged header')
  t.match(server.lines.filter(line => line.includes('TRUST_PROXY')).map(line => JSON.parse(line)), [{ level: 40, address: '127.0.0.1' }])
})

t.test('[P35] the default limits allow a client to join 50 channels and send 1,000 messages at once', async t => {
  const server = await start(t, {})
  const ann = await server.enter('ann')
  const replies = (ref: string): Promise<unknown> => ann.expect(frame => frame.ref === ref)
  for (let i = 0; i < 50; i++) ann.send({ type: 'join_channel', channel: `room-${i}`, ref: `join-${i}` })
  await replies('join-49')
  for (let i = 0; i < 1000; i++) ann.send({ type: 'send_message', channel: 'room-0', message: 'x', ref: `send-${i}` })
  await replies('send-999')
  t.same(ann.inbox.filter(({ type, code }) => type === 'error' && code !== 'busy'), [])
})

t.test('with limits.enabled false no limit holds', async t => {
  const server = await start(t, {
    enabled: false, connection_frames: 1, user_frames: 1, user_connections: 1, address_connections: 1, address_upgrades: 1
  })
  const ann = await server.register('ann')
  for (let i = 0; i < 12; i++) await server.login(ann)
  const client = await server.login(ann)
  for (let i = 0; i < 50; i++) client.send({ type: 'heartbeat' })
  t.equal((await client.settle()).filter(({ type }) => type === 'heartbeat_ack').length, 50)
})

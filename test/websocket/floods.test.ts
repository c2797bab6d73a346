import pg from 'pg'
import type { Config } from '../../src/config-schema.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { t, type Test } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, frame, opcode, text } from './raw.ts'

const { text: TEXT, continuation, ping, pong, close } = opcode
type Raw = Awaited<ReturnType<typeof connectRaw>>

const start = (t: Test, limits: Partial<Config['limits']> = {}, change: object = {}) => startServer(t, { config: { limits, ...change } })
/** On a busy machine a flood may last longer than a connection may take to authenticate. */
const patient = { authentication: { timeout: 60 } }
const many = (count: number, ...frames: Buffer[]): Buffer => Buffer.concat(Array.from({ length: count }, () => frames).flat())
const tooMany = { code: 4502, reason: 'too many frames' }
const tooBig = { code: 1009, reason: 'message too big' }
const refused = { type: 'error', code: 'rate_limited', message: 'Too many requests', retry_after_ms: Number }

async function enterRaw (t: Test, server: Server): Promise<Raw> {
  const { access_token: token } = await server.register('raw')
  const client = await connectRaw(t, server.port, text({ type: 'authenticate', token, ref: 'in' }))
  await client.replies(1)
  return client
}

/** Writes these bytes again and again until the server closes the connection. @returns the code and reason of the close frame. */
async function flood (client: Raw, bytes: Buffer): Promise<{ code: number, reason: string }> {
  const write = (): void => { while (!client.socket.destroyed && client.socket.write(bytes)); }
  client.socket.on('drain', write)
  write()
  const closed = await client.closed(60_000)
  client.socket.off('drain', write)
  client.socket.destroy()
  return closed
}

const heartbeat = '{"type":"heartbeat","ref":1}'
const floods: Record<string, Buffer> = {
  pings: many(1000, frame(ping)),
  'long pings': many(500, frame(ping, Buffer.alloc(125))),
  pongs: many(1000, frame(pong)),
  'long pongs': many(500, frame(pong, Buffer.alloc(125))),
  'fragmented requests': many(200, frame(TEXT, heartbeat.slice(0, 5), { fin: false }), frame(continuation, heartbeat.slice(5))),
  'pings between fragments': many(200, frame(TEXT, '{', { fin: false }), many(3, frame(ping)), frame(continuation, '}'))
}

t.test('[P53] endless control frames and fragments are paused, then closed with 4502, and affect no other connection', async t => {
  const server = await start(t, {}, patient)
  const control = await createControl(server)
  const all = Object.entries(floods).flatMap(([what, bytes]) => [false, true].map(isUser => ({ what, bytes, isUser })))
  const clients = await Promise.all(all.map(({ isUser }) => isUser ? enterRaw(t, server) : connectRaw(t, server.port)))
  const ends = Promise.all(clients.map((client, i) => flood(client, all[i]!.bytes)))
  await control(t, 'during the floods')
  for (const [i, closed] of (await ends).entries()) {
    const { what, isUser } = all[i]!
    // These fragments form unreadable frames, and ten of those are a protocol violation, which closes with 4501.
    if (what === 'pings between fragments') t.ok([4501, 4502].includes(closed.code), what)
    else t.same(closed, tooMany, `${what}, ${isUser ? 'authenticated' : 'not authenticated'}`)
  }
  await control(t, 'after the floods')
})

t.test('[P53] control frames over the limit are read later, in order, and the connection stays open', async t => {
  const server = await start(t, { connection_frames: 2 })
  const client = await connectRaw(t, server.port)
  client.write(...Array.from({ length: 23 }, (_, i) => frame(ping, String(i))), text({ type: 'heartbeat', ref: 'last' }))
  const pongs = (): string[] => client.frames.filter(({ code }) => code === pong).map(({ payload }) => payload.toString())
  t.match(await client.replies(1), [{ ref: 'last' }])
  t.same(pongs(), Array.from({ length: 23 }, (_, i) => String(i)))
})

t.test('[P53] a large frame over the limits is not refused but read later', async t => {
  const server = await start(t, { connection_bytes: 10_000 })
  const client = await enterRaw(t, server)
  const large = (ref: number): Buffer => text({ type: 'heartbeat', ref, padding: 'x'.repeat(40_000) })
  client.write(large(1), large(2), large(3), text({ type: 'heartbeat', ref: 4 }))
  t.match((await client.replies(5)).slice(1), [1, 2, 3, 4].map(ref => ({ type: 'heartbeat_ack', ref })))
})

t.test('[P53] a connection that is not read because of a flood still receives messages, and is read again later', async t => {
  const server = await start(t, { connection_frames: 10 })
  const ann = await server.enter('ann', 'general')
  const client = await enterRaw(t, server)
  client.write(text({ type: 'join_channel', channel: 'general', ref: 'join' }), many(110, frame(pong)))
  await client.replies(2)
  await ann.request({ type: 'send_message', channel: 'general', message: 'hello' })
  await eventually(() => client.texts().some(({ message }) => message === 'hello'))
  let replies = 2
  // The first frame that is read again may still be over the limit.
  await eventually(async () => {
    client.write(text({ type: 'heartbeat', ref: 'on' }))
    return (await client.replies(++replies)).at(-1)!.type === 'heartbeat_ack'
  })
})

t.test('[P53] [P52] the pongs that answer the server\'s own pings do not count, even for a client that is at its limit', async t => {
  const server = await start(t, { connection_frames: 1 })
  const reader = await server.enter('reader', 'general')
  const { access_token: token } = reader.person
  // With `authenticate` and `join_channel`, these are nine of the ten frames that may come at once.
  for (let i = 0; i < 7; i++) await reader.exchange({ type: 'heartbeat' })
  // The server sends 15 pings among 1 MB. If their pongs counted, the reader would be over its limit for more than ten seconds.
  const body = { message: '語'.repeat(3990) }
  await Promise.all(Array.from({ length: 80 }, () => server.call('POST', '/api/channels/general/messages', { token, body })))
  for (let i = 0; i < 80; i++) await reader.expect('message')
  t.match(await reader.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
})

t.test('[P53] a client can close its connection even while its frames are over the limits', async t => {
  const server = await start(t, { connection_frames: 1 })
  const client = await connectRaw(t, server.port)
  client.write(many(12, frame(ping)), frame(close, Buffer.from([0x03, 0xe8])))
  t.equal((await client.closed()).code, 1000)
  await client.ended()
})

t.test('[P53] before authentication a frame may have unauthenticated_frame_bytes, all its fragments together', async t => {
  const server = await start(t)
  const control = await createControl(server)
  const padded = (size: number): string => heartbeat.padEnd(size)
  const cases = {
    'one frame': [text(padded(8193))],
    fragments: [frame(TEXT, padded(8000), { fin: false }), frame(continuation, ' '.repeat(193))]
  }
  for (const [what, bytes] of Object.entries(cases)) {
    const client = await connectRaw(t, server.port)
    client.write(text(padded(8192)), ...bytes, text({ type: 'heartbeat', ref: 'late' }))
    t.same(await client.closed(), tooBig, what)
    t.match(await client.replies(1), [{ type: 'heartbeat_ack', ref: 1 }])
  }
  await control(t, 'after the large frames')
  const small = await start(t, { unauthenticated_frame_bytes: 1024 })
  const client = await connectRaw(t, small.port, text(padded(1025)))
  t.same(await client.closed(), tooBig)
})

t.test('[P53] [P7] a large frame right behind authenticate waits until authenticate is answered', async t => {
  const server = await start(t)
  const { access_token: token } = await server.register('ann')
  const large = text({ type: 'heartbeat', ref: 'large', padding: 'x'.repeat(60_000) })
  const client = await connectRaw(t, server.port, Buffer.concat([text({ type: 'authenticate', token, ref: 'in' }), large]))
  t.match(await client.replies(2), [{ action: 'authenticated' }, { type: 'heartbeat_ack', ref: 'large' }])
  const stranger = await connectRaw(t, server.port, Buffer.concat([text({ type: 'authenticate', token: 'wrong', ref: 'in' }), large]))
  t.same(await stranger.closed(), tooBig)
  t.match(await stranger.replies(1), [{ code: 'authentication_failed', ref: 'in' }])
})

t.test('[P53] before authentication frames over unauthenticated_frames are refused, then not read, then the connection closes', async t => {
  const server = await start(t, { unauthenticated_frames: 2 }, patient)
  const control = await createControl(server)
  const client = await connectRaw(t, server.port)
  client.write(...Array.from({ length: 30 }, (_, ref) => text({ type: 'heartbeat', ref })))
  const replies = await client.replies(30)
  t.match(replies, Array.from({ length: 30 }, (_, ref) => ref < 20 ? { type: 'heartbeat_ack', ref } : { ...refused, ref }))
  t.same(await flood(client, many(500, text({ type: 'heartbeat' }))), tooMany)
  await control(t, 'after the flood')
  const user = await enterRaw(t, server)
  user.write(...Array.from({ length: 100 }, (_, ref) => text({ type: 'heartbeat', ref })))
  const more = (await user.replies(101)).slice(1)
  t.match(more, Array.from({ length: 100 }, (_, ref) => ({ type: 'heartbeat_ack', ref })), 'a user may send more')
})

t.test('[P53] bytes after a close frame are counted but not handled', async t => {
  const server = await start(t)
  const control = await createControl(server)
  const client = await connectRaw(t, server.port)
  client.write(frame(close, Buffer.from([0x03, 0xe8])), many(50_000, frame(ping, 'late')))
  t.equal((await client.closed()).code, 1000)
  t.notOk(client.frames.some(({ code }) => code === pong))
  await control(t, 'after the late bytes')
})

t.test('[P53] waiting requests of all connections stay within max_inbox; none is lost, no connection closes, others are read', async t => {
  const limit = 1_048_576
  const token = 'token-of-the-metrics'
  const server = await start(t, { enabled: false }, { performance: { max_inbox: limit }, metrics: { token } })
  const scrape = async (): Promise<ReturnType<typeof parseMetrics>> =>
    parseMetrics(await (await fetch(`${server.origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })).text())
  const CLIENTS = 10
  const FRAMES = 20
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => enterRaw(t, server)))
  const quiet = await server.enter('quiet')
  const before = (await scrape()).value('parley_received_bytes_total')

  const holder = new pg.Client(server.databaseUrl)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN; LOCK TABLE "Channel" IN ACCESS EXCLUSIVE MODE')
  const padding = 'x'.repeat(60_000)
  for (const client of clients) client.write(...Array.from({ length: FRAMES }, (_, ref) => text({ type: 'channel_list', ref, padding })))
  await eventually(async () => (await scrape()).value('parley_inbox_bytes') > limit / 2)
  t.match(await quiet.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
  const held = await scrape()
  t.ok(held.value('parley_inbox_bytes') <= limit, `${held.value('parley_inbox_bytes')} bytes wait`)
  const received = held.value('parley_received_bytes_total') - before
  t.ok(received < CLIENTS * FRAMES * 60_000 / 2, `${received} bytes were read`)
  await holder.query('ROLLBACK')
  for (const client of clients) {
    const replies = (await client.replies(FRAMES + 1, 60_000)).slice(1)
    t.same(replies.map(({ ref }) => ref), Array.from({ length: FRAMES }, (_, ref) => ref))
  }
  t.equal((await scrape()).value('parley_inbox_bytes'), 0)
})

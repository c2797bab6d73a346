import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, frame, opcode, text } from './raw.ts'

// All tests but the one that floods its server share this one.
const server = await startServer(t)

const { text: TEXT, binary, continuation, close, ping, pong } = opcode

/** Bytes by which the resident memory may grow during a flood. */
const FLOOD_LIMIT = 32 * 1_048_576

const kilobytes = (count: number): Buffer => Buffer.alloc(count * 1000, 'x')
const fragments = (count: number, each = '"'): Buffer[] => Array.from({ length: count }, (_, i) =>
  frame(i === 0 ? TEXT : continuation, each, { fin: i === count - 1 }))
const tooBig = { code: 1009, reason: 'message too big' }
const malformed = { code: 1002, reason: '' }

const cases: Array<{ what: string, bytes: Buffer[], closed: { code: number, reason: string } }> = [
  { what: 'text that is not UTF-8', bytes: [frame(TEXT, Buffer.from([0x22, 0xc3, 0x28, 0x22]))], closed: { code: 1007, reason: '' } },
  { what: 'text that ends within a character', bytes: [frame(TEXT, Buffer.from([0xe2, 0x82]))], closed: { code: 1007, reason: '' } },
  { what: 'a close reason that is not UTF-8', bytes: [frame(close, Buffer.from([0x03, 0xe8, 0xff]))], closed: { code: 1007, reason: '' } },
  ...[1, 2, 4].map(rsv => ({ what: `reserved bit ${rsv}`, bytes: [frame(TEXT, '{}', { rsv })], closed: malformed })),
  ...[3, 7, 0xb, 0xf].map(code => ({ what: `reserved opcode ${code}`, bytes: [frame(code, '{}')], closed: malformed })),
  { what: 'an unmasked frame', bytes: [frame(TEXT, '{}', { masked: false })], closed: malformed },
  { what: 'a continuation without a beginning', bytes: [frame(continuation, '{}')], closed: malformed },
  { what: 'a new message within a fragmented one', bytes: [frame(TEXT, '{', { fin: false }), frame(TEXT, '{}')], closed: malformed },
  { what: 'a ping of 126 bytes', bytes: [frame(ping, Buffer.alloc(126))], closed: malformed },
  { what: 'a pong of 126 bytes', bytes: [frame(pong, Buffer.alloc(126))], closed: malformed },
  { what: 'a fragmented ping', bytes: [frame(ping, 'p', { fin: false })], closed: malformed },
  { what: 'a fragmented close frame', bytes: [frame(close, Buffer.from([0x03, 0xe8]), { fin: false })], closed: malformed },
  ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535].map(code => (
    { what: `close code ${code}`, bytes: [frame(close, Buffer.from([code >> 8, code & 0xff]))], closed: malformed })),
  { what: 'a close frame of one byte', bytes: [frame(close, 'x')], closed: malformed },
  { what: 'a length of 2^63', bytes: [frame(TEXT, '{}', { declared: 2n ** 63n })], closed: tooBig },
  { what: 'a length of 70 kB, declared', bytes: [frame(TEXT, '{}', { declared: 70_000n })], closed: tooBig },
  { what: '[P4] one byte over max_payload', bytes: [frame(TEXT, Buffer.alloc(65_537, ' '))], closed: tooBig },
  {
    what: '[P4] fragments that together pass max_payload',
    bytes: [frame(TEXT, kilobytes(40), { fin: false }), frame(continuation, kilobytes(40))],
    closed: tooBig
  },
  { what: '[P4] 1 MB of valid JSON', bytes: [text({ type: 'heartbeat', padding: 'x'.repeat(1_000_000) })], closed: tooBig },
  { what: '65 fragments', bytes: fragments(65), closed: { code: 1008, reason: '' } },
  { what: '65 empty fragments', bytes: fragments(65, ''), closed: { code: 1008, reason: '' } },
  { what: '[P1] a binary frame', bytes: [frame(binary, '{"type":"heartbeat"}')], closed: { code: 1003, reason: 'binary not supported' } },
  { what: '[P1] an empty binary frame', bytes: [frame(binary)], closed: { code: 1003, reason: 'binary not supported' } }
]

t.test('a frame that violates RFC 6455 closes only its own connection, with the code for its fault [G8]', async t => {
  const control = await createControl(server)
  const { access_token: token } = await server.register('ann')
  for (const { what, bytes, closed } of cases) {
    const client = await connectRaw(t, server.port, text({ type: 'authenticate', token, ref: 'in' }))
    await client.replies(1)
    client.write(...bytes)
    t.same(await client.closed(), closed, what)
    client.socket.destroy()
    await control(t, what)
  }
})

t.test('unusual but valid frames are read: 64 fragments, a ping among them, an empty one, exactly max_payload bytes', async t => {
  const { access_token: token } = await server.register('ann')
  const client = await connectRaw(t, server.port, text({ type: 'authenticate', token }))
  const json = '{"type":"heartbeat","ref":"é"}'
  const bytes = Buffer.from(json.padEnd(62))
  const parts = [...bytes].map((byte, i) => frame(i === 0 ? TEXT : continuation, Buffer.from([byte]), { fin: false }))
  client.write(...parts.slice(0, 30), frame(ping, 'p'), ...parts.slice(30), frame(continuation))
  t.match(await client.replies(1), [{ type: 'heartbeat_ack', ref: 'é' }])
  t.ok(client.frames.some(({ code, payload }) => code === opcode.pong && payload.toString() === 'p'))

  client.write(text('{"type":"heartbeat","ref":2}'.padEnd(65_536)))
  t.match((await client.replies(2))[1], { type: 'heartbeat_ack', ref: 2 })
})

t.test('a close frame is answered with its own code, and without a code if it has none', async t => {
  const client = await connectRaw(t, server.port)
  client.write(frame(close, Buffer.from([0x03, 0xe8])))
  t.equal((await client.closed()).code, 1000)
  await client.ended()
  const silent = await connectRaw(t, server.port)
  silent.write(frame(close))
  await silent.ended()
  t.equal(silent.frames.at(-1)!.payload.length, 0)
})

t.test('a client that sends pings and never reads is closed before it fills the memory [G8]', async t => {
  const own = await startServer(t)
  const control = await createControl(own)
  const client = await connectRaw(t, own.port)
  client.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(ping, Buffer.alloc(125))))
  const before = process.memoryUsage().rss
  let peak = before
  let open = true
  const drainOrClose = (): Promise<unknown> =>
    Promise.race(['drain', 'close'].map(event => new Promise(resolve => { client.socket.once(event, resolve) })))
  client.socket.on('close', () => { open = false })
  while (open) {
    if (!client.socket.write(pings)) await drainOrClose()
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  t.ok(peak - before < FLOOD_LIMIT, `grew by ${Math.round((peak - before) / 1_048_576)} MB`)
  await control(t, 'after the flood')
})

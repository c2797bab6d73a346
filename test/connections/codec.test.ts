import { AppError } from '../../src/errors.ts'
import { encode, encodeEntries } from '../../src/connections/frames.ts'
import { encodeError, toWireError } from '../../src/connections/reply.ts'
import { decode } from '../../src/requests/envelope.ts'
import type { Entry } from '../../src/schemas/message.ts'
import { t } from '../tap.ts'

/** Payloads of the frames, by RFC 6455, 5.2. Throws if a head is not the shortest one of a whole, unmasked text frame. */
function parse (bytes: Buffer): string[] {
  if (bytes.length === 0) return []
  if (bytes[0] !== 0x81) throw new Error(`first byte ${bytes[0]}`)
  const short = bytes[1]!
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (head !== (length < 126 ? 2 : length < 65_536 ? 4 : 10)) throw new Error('not the shortest length')
  return [bytes.toString('utf8', head, head + length), ...parse(bytes.subarray(head + length))]
}

t.test('a frame of any length has the head that RFC 6455 requires', async t => {
  for (const length of [2, 125, 126, 127, 65_535, 65_536, 70_000]) {
    const value = { a: 'x'.repeat(Math.max(0, length - 8)) }
    const json = JSON.stringify(value)
    t.same(parse(encode(value)), [json], `${json.length} bytes`)
  }
  t.same(parse(encode({ a: 'é🙂' })), ['{"a":"é🙂"}'], 'lengths count bytes, not characters')
})

t.test('entries are encoded as consecutive frames, and `ends` says where each frame ends', async t => {
  const texts = ['', 'é'.repeat(50), '🙂'.repeat(40), 'x'.repeat(70_000)]
  const entries = texts.map((message, i): Entry =>
    ({ type: 'message', id: 'm', seq: i + 1, channel: 'general', user_id: 'u1', username: 'ann', message, timestamp: 'now' }))
  const { frames, ends } = encodeEntries(entries)
  t.same(parse(frames).map(text => JSON.parse(text)), entries)
  t.same(ends.map((end, i) => parse(frames.subarray(ends[i - 1] ?? 0, end)).length), [1, 1, 1, 1])
  t.equal(ends.at(-1), frames.length)
})

t.test('decode reads type, command and ref of a frame, whatever their JSON types', async t => {
  t.match(decode(Buffer.from('{"type":"heartbeat","ref":7}')), { type: 'heartbeat', command: undefined, ref: 7 })
  t.match(decode(Buffer.from('{"type":"public","command":"create_channel"}')), { type: 'public', command: 'create_channel' })
  t.match(decode(Buffer.from('{"type":"command"}')), { type: 'command', command: '' })
  t.match(decode(Buffer.from('{"type":{"a":[1]},"ref":{}}')), { type: '{"a":[1]}', ref: undefined })
})

t.test('an error frame has ref and retry_after_ms only if they are given', async t => {
  t.same(JSON.parse(parse(encodeError(new AppError('not_in_channel'), undefined))[0]!),
    { type: 'error', code: 'not_in_channel', message: 'Not in channel' })
  t.same(JSON.parse(parse(encodeError(new AppError('muted', { retryAfterMs: 5 }), 0))[0]!),
    { type: 'error', code: 'muted', message: 'Muted in channel', ref: 0, retry_after_ms: 5 })
})

t.test('a client learns nothing about an internal error, and receives invalid_request as invalid_frame', async t => {
  t.match(toWireError(new Error('SELECT * FROM "User"')), { code: 'internal', message: 'Internal server error' })
  const malformed = new AppError('invalid_request', { detail: 'cursor: malformed' })
  t.match(toWireError(malformed), { code: 'invalid_frame', message: 'Invalid message: cursor: malformed' })
  const own = new AppError('banned')
  t.equal(toWireError(own), own)
})

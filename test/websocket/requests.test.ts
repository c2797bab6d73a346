import { randomUUID } from 'node:crypto'
import type { Frame } from '../client.ts'
import { startServer, type Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { createControl } from './control.ts'

// Tests that need no settings of their own share this server.
const server = await startServer(t)

const json = (value: object): string => JSON.stringify(value)
const nested = (depth: number): object => depth === 1 ? {} : { a: nested(depth - 1) }
const error = (code: string, message: string): Frame => ({ type: 'error', code, message })
const unreadable = error('invalid_json', 'Invalid JSON format')
const unknownType = (type: string): Frame => error('unknown_type', `Unknown message type: ${type}`)

/** Frames after which a connection is replaced, because ten invalid ones close it with 4501. */
const FRAMES = 9

/** Checks that each frame gets exactly this reply on an authenticated connection, and that the connection stays open. */
async function answers (t: Test, at: Server, cases: Array<[what: string, sent: string, reply: object]>): Promise<void> {
  const person = await at.register()
  let client = await at.login(person)
  for (const [i, [what, sent, reply]] of cases.entries()) {
    if (i % FRAMES === 0) {
      client.socket.terminate()
      client = await at.login(person)
    }
    client.send(sent)
    const [received, ...others] = (await client.settle()).splice(0)
    t.match(received, reply, what)
    t.same(others, [], `${what}: one reply`)
  }
}

t.test('[P8] [P9] unreadable frames are answered with an error, the connection stays, and no other one is affected [G8]', async t => {
  const control = await createControl(server)
  await answers(t, server, [
    ['an empty frame', '', unreadable],
    ['truncated JSON', '{"type":"heartbeat"', unreadable],
    ['NaN', '{"type":"heartbeat","ref":NaN}', unreadable],
    ['two objects', '{"type":"heartbeat"}{"type":"heartbeat"}', unreadable],
    ['single quotes', "{'type':'heartbeat'}", unreadable],
    ['20,000 open brackets', '['.repeat(20_000), unreadable],
    ...['[]', 'null', '42', '"text"', 'true', '[{"type":"heartbeat"}]'].map((sent): [string, string, object] =>
      [`${sent} at the top`, sent, { type: 'error', code: 'invalid_frame', message: /^Invalid message: \S/ }])
  ])
  await control(t, 'after unreadable frames')
})

t.test('[P4] JSON of depth 16 is accepted, and JSON of depth 17 is refused', async t => {
  const tooDeep = { type: 'error', code: 'invalid_frame', message: /^Invalid message: \S/ }
  await answers(t, server, [
    ['depth 16', json({ type: 'heartbeat', deep: nested(15) }), { type: 'heartbeat_ack' }],
    ['depth 17', json({ type: 'heartbeat', deep: nested(16) }), tooDeep],
    ['depth 17, arrays', `{"type":"heartbeat","deep":${'['.repeat(16)}${']'.repeat(16)}}`, tooDeep],
    ['depth 10,000', `{"type":"heartbeat","deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, tooDeep]
  ])
})

t.test('names of properties of Object.prototype are unknown types, and frames cannot change the prototype', async t => {
  const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']
  await answers(t, server, [
    ...names.map((name): [string, string, object] => [`type ${name}`, json({ type: name }), unknownType(name)]),
    ['an own __proto__', '{"type":"heartbeat","__proto__":{"polluted":1,"ref":"stolen"}}', { type: 'heartbeat_ack', ref: undefined }],
    ['an own constructor', '{"type":"heartbeat","constructor":{"prototype":{"polluted":1}}}', { type: 'heartbeat_ack' }],
    ['a type by __proto__ only', '{"__proto__":{"type":"heartbeat"}}', unknownType('')]
  ])
  t.notOk('polluted' in {}, 'no prototype has changed')
})

t.test('the error about an unknown type names the type, cut to 64 characters', async t => {
  await answers(t, server, [
    ['short', json({ type: 'shout' }), unknownType('shout')],
    ['64 characters', json({ type: 'x'.repeat(64) }), unknownType('x'.repeat(64))],
    ['65 characters', json({ type: 'x'.repeat(65) }), unknownType('x'.repeat(64))],
    ['60,000 characters', json({ type: 'x'.repeat(60_000) }), unknownType('x'.repeat(64))],
    ['emoji are cut between characters', json({ type: '🙂'.repeat(65) }), unknownType('🙂'.repeat(64))],
    ['half a character', '{"type":"\\ud83d"}', unknownType('\ufffd')],
    ['no type', '{}', unknownType('')],
    ['null', '{"type":null}', unknownType('')],
    ['a number', '{"type":5}', unknownType('5')],
    ['the last of two types counts', '{"type":"shout","type":"heartbeat"}', { type: 'heartbeat_ack' }],
    ['the type of a server frame', '{"type":"welcome"}', unknownType('welcome')]
  ])
})

t.test('[P8] a ref comes back as it was sent: a string of at most 64 characters, or an integer', async t => {
  const client = await server.connect()
  for (const ref of ['', 'a', 'é🙂', '0', 'x'.repeat(64), 0, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    client.send({ type: 'heartbeat', ref })
    t.equal((await client.expect('heartbeat_ack')).ref, ref)
    client.send({ type: 'shout', ref })
    t.equal((await client.expectError('unknown_type')).ref, ref, 'on an error too')
  }
})

t.test('[P8] any other ref answers invalid_frame and does not come back', async t => {
  const refused = { type: 'error', code: 'invalid_frame', message: /^Invalid message: ref/, ref: undefined }
  await answers(t, server, [
    ['65 characters', json({ type: 'heartbeat', ref: 'x'.repeat(65) }), refused],
    ...['1.5', 'true', 'null', '{}', '["a"]', '1e400', '9007199254740993', '"\\u0000"', '"\\ud800"'].map((ref): [string, string, object] =>
      [`ref ${ref}`, `{"type":"heartbeat","ref":${ref}}`, refused])
  ])
})

t.test('[P9] fields are checked in order: first whether they are missing or blank, then their form, then their meaning', async t => {
  const own = await startServer(t, { config: { channels: { max_message_length: 10 } } })
  const control = await createControl(own)
  const required = error('channel_required', 'Channel name required')
  const badName = error('invalid_channel_name', 'Invalid channel name')
  const badForm = { type: 'error', code: 'invalid_frame', message: /^Invalid message: \S/ }
  const cases: Array<[sent: string, reply: object]> = []
  for (const type of ['join_channel', 'leave_channel', 'user_list', 'send_message']) {
    const about = (channel: string): string => `{"type":"${type}","message":"hello"${channel && `,"channel":${channel}`}}`
    for (const channel of ['', 'null', '""', '" \\t"']) cases.push([about(channel), required])
    for (const channel of ['5', 'true', '{}', '["general"]']) cases.push([about(channel), badForm])
    for (const channel of [
      '"General"', '"-a"', '"a b"', '"../a"', '"a\\u0000"', '"gen\\u200beral"', '"gеneral"', `"${'x'.repeat(65)}"`, '"__proto__"'
    ]) {
      cases.push([about(channel), badName])
    }
  }
  const send = (message: string, more = ''): string =>
    `{"type":"send_message","channel":"general"${message && `,"message":${message}`}${more}}`
  cases.push(
    ...['', 'null', '""', '"  \\n\\u00a0"'].map((message): [string, object] =>
      [send(message), error('message_required', 'Message required')]),
    ...['5', 'false', '{}', '["a"]', '"a\\u0000b"', '"\\ud800"'].map((message): [string, object] => [send(message), badForm]),
    ...['""', '5', 'null', `"${'x'.repeat(65)}"`].map((id): [string, object] => [send('"hello"', `,"client_id":${id}`), badForm]),
    [send('"hello"').replace('general', 'elsewhere'), error('not_in_channel', 'Not in channel')],
    [send('"01234567890"').replace('general', 'elsewhere'), error('message_too_long', 'Message too long')],
    ...['-1', '1.5', '1e400', '"1"', 'null'].map((since): [string, object] =>
      [`{"type":"join_channel","channel":"general","channel_id":"${randomUUID()}","since":${since}}`, badForm]),
    ...['0', '101', '1e9', '2.5', '"5"'].map((history): [string, object] =>
      [`{"type":"join_channel","channel":"general","history":${history}}`, badForm]),
    ...['0', '101', '-1', '"5"'].map((limit): [string, object] => [`{"type":"channel_list","limit":${limit}}`, badForm]),
    ['{"type":"channel_list","cursor":"%%%"}', badForm],
    ['{"type":"join_channel","channel":"general","since":0}', badForm],
    ['{"type":"authenticate"}', error('token_required', 'Token required')],
    ['{"type":"authenticate","token":5}', badForm]
  )
  await answers(t, own, cases.map(([sent, reply]) => [sent, sent, reply]))
  await control(t, 'after wrong fields')
})

t.test('[P9] [P25] unknown extra fields are ignored, and SQL, markup and emoji are plain text', async t => {
  const ann = await server.enter('ann', 'general')
  for (const message of ["'; DROP TABLE \"User\"; --", '<script>alert(1)</script>', '\u202eRTL 🙂 \u200b', '{"type":"message"}']) {
    const { data } = await ann.request({ type: 'send_message', channel: 'general', message, seq: 99, user_id: 'nobody', __proto: 1 })
    t.match(await ann.expect('message'), { id: data.id, message, username: 'ann' })
  }
})

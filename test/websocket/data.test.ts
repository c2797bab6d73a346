import { createMessageStore } from '../../src/store/messages.ts'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

/** Creates a channel with a member who is subscribed to it. */
async function arrange () {
  const { id: channelId, name } = await rows.channel()
  const ann = await server.enter('ann')
  await rows.member({ id: channelId, name }, ann)
  await ann.request({ type: 'join_channel', channel: name })
  const token = ann.person.access_token
  const at = `/api/channels/${name}/messages`
  return {
    ann,
    channelId,
    name,
    send: (fields: object): Promise<Frame> => ann.exchange({ type: 'send_message', channel: name, ...fields }),
    edit: (id: string, fields: object): Promise<Frame> => ann.exchange({ command: 'edit_message', channel: name, id, ...fields }),
    post: (body: object) => server.call('POST', at, { token, body }),
    patch: (id: string, body: object) => server.call('PATCH', `${at}/${id}`, { token, body }),
    history: async (): Promise<Frame[]> => (await server.call('GET', at, { token })).body.messages,
    stored: () => server.database.prisma.message.findMany({ where: { channelId }, orderBy: { seq: 'asc' } })
  }
}

/** Lists in `depth` levels. */
const nested = (depth: number): unknown => depth === 0 ? 1 : [nested(depth - 1)]
/** A text that takes `bytes` bytes as JSON. */
const textOf = (bytes: number, sign = 'x'): string => sign.repeat(Math.floor((bytes - 2) / Buffer.byteLength(sign)))

const values: unknown[] = [
  {}, [], '', 0, false, true, 'text', { a: { b: [1, 'zwei', null, { c: '漢😀' }] } },
  9_007_199_254_740_991, -9_007_199_254_740_991, 0.1, 1e-300,
  { '': 1, constructor: { prototype: 1 }, toString: 'x', hasOwnProperty: null, __proto: 1 }, nested(8), { x: nested(7) },
  textOf(4096), textOf(4096, '漢'), '\u0001\ufeff\u202e"\\', 'null', "'; DROP TABLE \"Message\"; --", [null]
]

t.test('[P38] data comes back live, in a resume, in a join and in history with the same meaning, over WebSocket and REST', async t => {
  const { ann, channelId, name, send, post, history } = await arrange()
  for (const data of values) {
    t.match(await send({ message: 'x', data }), { type: 'success' }, JSON.stringify(data).slice(0, 80))
    t.equal((await post({ message: 'x', data })).status, 201)
  }
  const live: Frame[] = []
  while (live.length < 2 * values.length) live.push(await ann.expect('message'))
  t.same(live.map(({ data }) => data), values.flatMap(data => [data, data]))
  const reader = await server.enter('reader')
  const resumed = await reader.request({ type: 'join_channel', channel: name, since: 0, channel_id: channelId })
  t.same(resumed.data.messages, live)
  t.same((await reader.request({ type: 'join_channel', channel: name, history: 100 })).data.messages, live)
  const bare = live.map(({ type: _, ...message }) => message)
  t.same(await history(), bare)
  const last = bare.at(-1)!
  const { body } = await server.call('GET', `/api/channels/${name}/messages/${last.id}`, { token: ann.person.access_token })
  t.same(body, last)
})

t.test('[P38] a message with data may have no text, and a message without data has to have one; null is no data', async t => {
  const { ann, send, edit, post, history } = await arrange()
  for (const message of [undefined, '', ' \n', '\u00a0']) {
    await send({ message, data: 0 })
    t.match(await ann.expect('message'), { message: '', data: 0 }, JSON.stringify(message))
    t.equal((await post({ message, data: 0 })).status, 201)
    t.match(await ann.expect('message'), { message: '', data: 0 })
    t.same(await send({ message, data: null }), failure('message_required'))
    t.match(await post({ message, data: null }), { status: 400, body: { code: 'message_required' } })
  }
  t.ok((await history()).every(({ message, data }) => message === '' && data === 0))
  const { data: { id } } = await send({ message: 'x', data: null })
  t.notOk('data' in await ann.expect('message'))
  t.same(await edit(id, { data: null }), failure('message_required'))
  t.match(await send({ message: null, data: 1 }), { code: 'invalid_frame' })
  t.same(await send({ message: 'x'.repeat(4001), data: 1 }), failure('message_too_long'))
})

t.test('[P38] an edit leaves the data, replaces it or removes it, and message_edited says what it is now', async t => {
  const { ann, channelId, name, send, edit, patch, history } = await arrange()
  const { data: { id } } = await send({ message: 'x', data: { a: 1 } })
  const plain = (await send({ message: 'never had data' })).data.id
  const steps: Array<[object, object]> = [
    [{ message: 'y' }, { message: 'y', data: { a: 1 } }],
    [{ message: 'y', data: [2] }, { message: 'y', data: [2] }],
    [{ data: 3 }, { message: '', data: 3 }],
    [{ message: 'z', data: null }, { message: 'z', data: null }],
    [{ message: 'zz' }, { message: 'zz', data: null }],
    [{ message: ' ', data: false }, { message: '', data: false }]
  ]
  for (const [i, [fields, expected]] of steps.entries()) {
    if (i % 2 === 0) t.equal((await edit(id, fields)).type, 'success')
    else t.equal((await patch(id, fields)).status, 200)
    const frame = await ann.expect('message_edited')
    t.match(frame, expected)
    t.ok('data' in frame)
    const now = (await history())[0]!
    const { data: shown, ...rest } = expected as { data: unknown }
    t.match(now, { ...rest, edited_at: String })
    t.same([now.data, 'data' in now], shown === null ? [undefined, false] : [shown, true])
    const reader = await server.enter('reader')
    const resumed = await reader.request({ type: 'join_channel', channel: name, since: frame.seq - 1, channel_id: channelId })
    t.same(resumed.data.messages, [frame], 'a resume has the live frame')
    reader.socket.terminate()
  }
  await edit(plain, { message: 'edited' })
  t.notOk('data' in await ann.expect('message_edited'), 'an edit of a message that never had data has no field more')
})

t.test('[P38] a deletion removes the data, also from the database', async t => {
  const { ann, channelId, name, send, edit, history, stored } = await arrange()
  const { data: { id } } = await send({ data: 'secret' })
  await edit(id, { data: 'secret too' })
  await ann.request({ command: 'delete_message', channel: name, id })
  t.notOk('data' in await ann.expect('message_deleted'))
  t.match((await history())[0], { message: null, deleted: true })
  t.notOk('data' in (await history())[0]!)
  t.equal((await stored())[0]!.data, null)
  const { data } = await ann.request({ type: 'join_channel', channel: name, since: 0, channel_id: channelId })
  t.same(data.messages.map((entry: Frame) => [entry.type, 'data' in entry]),
    [['message', false], ['message_edited', false], ['message_deleted', false]])
})

/** JSON texts of data that cannot be kept as it came. */
const refused: Array<[string, RegExp]> = [
  ['9007199254740992', /number/], ['[9007199254740993]', /number/], ['{"a":{"b":-9007199254740992}}', /number/], ['1e400', /number/],
  ['[-1e400]', /number/], ['1e300', /number/], ['"a\\u0000"', /NUL/], ['{"\\u0000":1}', /NUL/], ['"\\ud800"', /surrogate/],
  ['[{"\\udc00x":1}]', /surrogate/], [JSON.stringify(nested(9)), /deeper than 8/], [JSON.stringify({ a: nested(8) }), /deeper than 8/],
  [JSON.stringify(textOf(4097)), /larger than 4096 bytes/], [JSON.stringify(textOf(4100, '漢')), /larger than 4096 bytes/],
  [JSON.stringify(Array(2048).fill(1)), /larger than 4096 bytes/]
]
const poisoned = ['{"__proto__":1}', '[[{"a":{"__proto__":{"x":1}}}]]', '{"\\u005f_proto__":null}']

t.test('[P38] data that cannot be kept as it came is refused, also in an edit and over REST, and nothing is stored', async t => {
  const { name, ann, send, stored } = await arrange()
  const { data: { id } } = await send({ message: 'x', data: 'as it was' })
  const before = await stored()
  const raw = async (method: string, path: string, data: string) => {
    const response = await fetch(`${server.origin}/api/channels/${name}/messages${path}`, {
      method, body: `{"message":"x","data":${data}}`,
      headers: { authorization: `Bearer ${ann.person.access_token}`, 'content-type': 'application/json' }
    })
    return { status: response.status, body: await response.json() as Frame }
  }
  for (const [data, reason] of [...refused, ...poisoned.map((json): [string, RegExp] => [json, /__proto__/])]) {
    // One connection may send ten invalid frames.
    const client = await server.login(ann.person)
    await client.request({ type: 'join_channel', channel: name })
    const ask = (head: string) => {
      client.send(`{${head},"channel":"${name}","message":"x","data":${data}}`)
      return client.expect('error')
    }
    const isRight = { code: 'invalid_frame', message: reason }
    t.match(await ask('"type":"send_message"'), isRight, data.slice(0, 80))
    t.match(await ask(`"command":"edit_message","id":"${id}"`), isRight)
    client.socket.terminate()
    for (const [method, path] of [['POST', ''], ['PATCH', `/${id}`]] as const) {
      const { status, body } = await raw(method, path, data)
      // Over REST no body at all may have a key __proto__.
      const expected = poisoned.includes(data) ? { code: 'invalid_json' } : { code: 'invalid_request', message: reason }
      t.match({ status, ...body }, { status: 400, ...expected }, `${method} ${data.slice(0, 80)}`)
    }
  }
  t.same(await stored(), before)
  t.equal(({} as Frame).x, undefined)
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  t.match(await raw('POST', '', deep), { status: 400, body: { code: 'invalid_request' } }, 'very deep')
})

t.test('[P38] [P51] the limits of data are keys of the configuration', async t => {
  const server = await startServer(t, { config: { channels: { max_data_bytes: 10, max_data_depth: 1 } } })
  const ann = await server.enter('ann', 'general')
  const send = (data: unknown) => ann.exchange({ type: 'send_message', channel: 'general', data })
  t.equal((await send([12_345_678])).type, 'success')
  t.match(await send([123_456_789]), { code: 'invalid_frame', message: 'Invalid message: data: larger than 10 bytes' })
  t.match(await send([[1]]), { code: 'invalid_frame', message: 'Invalid message: data: nested deeper than 1' })
})

t.test('[P30] [P38] the bytes of data count where entries are limited by bytes', async t => {
  const { channelId, send } = await arrange()
  for (let n = 0; n < 4; n++) await send({ data: textOf(4096) })
  const messages = createMessageStore(server.database)
  const seqs = async (bytes: number) => (await messages.entries(channelId, 0, 4, 100, bytes)).map(({ seq }) => seq)
  t.same([await seqs(1), await seqs(5000), await seqs(100_000)], [[1], [1, 2], [1, 2, 3, 4]])
})

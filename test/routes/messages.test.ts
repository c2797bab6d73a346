import { randomUUID } from 'node:crypto'
import { startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)
const ann = await server.enter('ann', 'general')
const token = ann.person.access_token

const post = (channel: string, body: object) => server.call('POST', `/api/channels/${channel}/messages`, { token, body })
const get = (channel: string, query = '') => server.call('GET', `/api/channels/${channel}/messages${query}`, { token })
const seqs = (body: { messages: Array<{ seq: number }> }): number[] => body.messages.map(({ seq }) => seq)

t.test('[P26] [P29] POST stores a message, answers with the receipt and reaches all subscribers', async t => {
  const ben = await server.enter('ben', 'general')
  const { status, body } = await post('general', { message: 'by REST', client_id: 'r1' })
  t.equal(status, 201)
  t.same(Object.keys(body), ['channel', 'id', 'seq', 'timestamp', 'client_id'])
  for (const client of [ann, ben]) {
    const { type: _, user_id: userId, username, message, ...rest } = await client.expect('message')
    t.same({ userId, username, message }, { userId: ann.person.user.id, username: 'ann', message: 'by REST' })
    t.same(rest, body, 'the frame has the fields of the receipt')
  }
  t.match(await post('general', { message: 'again', client_id: 'r1' }), { status: 200, body: { ...body, duplicate: true } })
})

t.test('[P26] POST requires a membership but no connection', async t => {
  const channel = await rows.channel()
  const { status, body } = await post(channel.name, { message: 'x' })
  t.equal(status, 403)
  t.same(body, { statusCode: 403, error: 'Forbidden', code: 'not_in_channel', message: 'Not in channel' })
  await rows.member(channel, ann)
  t.match(await post(channel.name, { message: 'x' }), { status: 201, body: { seq: 1 } })
})

t.test('[P9] [P25] POST refuses invalid messages', async t => {
  const bodies: Array<[object, string, string | RegExp]> = [
    [{}, 'message_required', 'Message required'],
    [{ message: null }, 'message_required', 'Message required'],
    [{ message: ' \n' }, 'message_required', 'Message required'],
    [{ message: 1 }, 'invalid_request', /^Invalid request: message: /],
    [{ message: 'a\0' }, 'invalid_request', /^Invalid request: message: /],
    [{ message: '\ud800' }, 'invalid_request', /^Invalid request: message: /],
    [{ message: '\u{1F600}'.repeat(4001) }, 'message_too_long', 'Message too long'],
    [{ message: 'x', client_id: '' }, 'invalid_request', /^Invalid request: client_id: /],
    [{ message: 'x', client_id: 'x'.repeat(65) }, 'invalid_request', /^Invalid request: client_id: /],
    [{ message: 'x', client_id: null }, 'invalid_request', /^Invalid request: client_id: /],
    [{ message: 'x', user_id: ann.person.user.id }, 'invalid_request', /^Invalid request: user_id: /]
  ]
  for (const [body, code, message] of bodies) {
    t.match(await post('general', body), { status: 400, body: { statusCode: 400, error: 'Bad Request', code, message } }, code)
  }
  t.equal((await post('general', { message: '\u{1F600}'.repeat(4000) })).status, 201)
})

t.test('[P27] GET takes before, after, both or neither, and always answers in ascending order', async t => {
  const channel = await rows.channel()
  await ann.request({ type: 'join_channel', channel: channel.name })
  for (let n = 1; n <= 120; n++) ann.send({ type: 'send_message', channel: channel.name, message: `m${n}` })
  await ann.expect(({ type, seq, channel: name }) => type === 'message' && name === channel.name && seq === 120)

  const cases: Array<[string, number, number]> = [
    ['', 71, 120], ['?limit=3', 118, 120], ['?limit=100', 21, 120],
    ['?before=11', 1, 10], ['?before=11&limit=3', 8, 10], ['?before=121&limit=1', 120, 120], ['?before=9007199254740991&limit=1', 120, 120],
    ['?after=0&limit=3', 1, 3], ['?after=10&limit=3', 11, 13], ['?after=100', 101, 120], ['?after=0', 1, 50],
    ['?after=10&before=14', 11, 13], ['?after=10&before=14&limit=2', 11, 12]
  ]
  for (const [query, from, to] of cases) {
    const { status, body } = await get(channel.name, query)
    t.equal(status, 200)
    t.same(seqs(body), Array.from({ length: to - from + 1 }, (_, i) => from + i), query)
    t.match(body, { channel_id: channel.id, last_seq: 120 })
  }
  for (const query of ['?before=1', '?before=0', '?after=120', '?after=9007199254740991', '?after=10&before=11']) {
    t.match((await get(channel.name, query)).body, { messages: [], last_seq: 120 }, query)
  }
})

t.test('[P27] GET page by page, forward or backward, gives the whole history, each message once', async t => {
  const channel = await rows.channel()
  await ann.request({ type: 'join_channel', channel: channel.name })
  for (let n = 1; n <= 23; n++) await ann.request({ type: 'send_message', channel: channel.name, message: `m${n}` })
  const forth: number[] = []
  for (let after = 0; ;) {
    const { body } = await get(channel.name, `?after=${after}&limit=10`)
    if (body.messages.length === 0) break
    forth.push(...seqs(body))
    after = forth.at(-1)!
  }
  const back: number[] = []
  for (let before = ''; ;) {
    const { body } = await get(channel.name, `?limit=10${before}`)
    if (body.messages.length === 0) break
    back.unshift(...seqs(body))
    before = `&before=${back[0]}`
  }
  t.same(forth, Array.from({ length: 23 }, (_, i) => i + 1))
  t.same(back, forth)
})

t.test('[P41] GET with around gives a full page around a seq, which is shifted inwards near both ends', async t => {
  const channel = await rows.channel()
  await rows.member(channel, ann)
  t.match((await get(channel.name, '?around=0')).body, { messages: [], last_seq: 0 }, 'an empty channel')
  await post(channel.name, { message: 'm1' })
  const { body: { id } } = await post(channel.name, { message: 'm2' })
  // An edit has a seq of its own, so there is no message with seq 3.
  await server.call('PATCH', `/api/channels/${channel.name}/messages/${id}`, { token, body: { message: 'edited' } })
  for (let n = 4; n <= 12; n++) await post(channel.name, { message: `m${n}` })
  const cases: Array<[string, number[]]> = [
    ['7&limit=5', [5, 6, 7, 8, 9]], ['7&limit=4', [5, 6, 7, 8]], ['7&limit=1', [7]],
    ['3&limit=4', [1, 2, 4, 5]], ['2&limit=4', [1, 2, 4, 5]], ['0&limit=3', [1, 2, 4]], ['1&limit=3', [1, 2, 4]],
    ['12&limit=4', [9, 10, 11, 12]], ['11&limit=4', [9, 10, 11, 12]], ['9007199254740991&limit=3', [10, 11, 12]],
    ['7', [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]], ['7&limit=11', [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]]
  ]
  for (const [query, expected] of cases) {
    const { body } = await get(channel.name, `?around=${query}`)
    t.same(seqs(body), expected, query)
    t.match(body, { channel_id: channel.id, last_seq: 12 })
  }
})

t.test('[P41] GET of one message answers as history shows it, also when it is edited or deleted', async t => {
  const channel = await rows.channel()
  await rows.member(channel, ann)
  const { body: { id } } = await post(channel.name, { message: 'first', client_id: 'k' })
  const one = () => server.call('GET', `/api/channels/${channel.name}/messages/${id}`, { token })
  const now = async () => (await get(channel.name)).body.messages[0]
  t.match(await one(), { status: 200, body: { id, seq: 1, channel: channel.name, username: 'ann', message: 'first', client_id: 'k' } })
  t.same((await one()).body, await now())
  await server.call('PATCH', `/api/channels/${channel.name}/messages/${id}`, { token, body: { message: 'second' } })
  t.match(await one(), { status: 200, body: { message: 'second', edited_at: String } })
  t.same((await one()).body, await now())
  t.same((await server.call('GET', `/api/channels/${channel.name}/messages/${id.toUpperCase()}`, { token })).body, await now())
  await server.call('DELETE', `/api/channels/${channel.name}/messages/${id}`, { token })
  t.match(await one(), { status: 200, body: { message: null, deleted: true } })
  t.same((await one()).body, await now())
})

t.test('[P41] GET of one message refuses ids that the channel does not have', async t => {
  const [channel, other] = [await rows.channel(), await rows.channel()]
  const foreign = await rows.message(other, ann)
  for (const id of [randomUUID(), foreign, 'x', '1', '%00', '__proto__', `${foreign}0`, encodeURIComponent(`${foreign}'`)]) {
    const { status, body } = await server.call('GET', `/api/channels/${channel.name}/messages/${id}`, { token })
    t.match([status, body], [404, { code: 'message_not_found', message: 'Message not found' }], id)
  }
})

t.test('[P19] GET gives the messages of a public channel, also to non-members, with the fields of their live frames', async t => {
  const channel = await rows.channel()
  t.same((await get(channel.name)).body, { messages: [], channel_id: channel.id, last_seq: 0, last_id: null })
  const ben = await server.enter('ben', channel.name)
  await ben.request({ type: 'send_message', channel: channel.name, message: 'hello', client_id: 'k' })
  const { type: _, ...live } = await ben.expect('message')
  const { body } = await get(channel.name)
  t.same(body, { messages: [live], channel_id: channel.id, last_seq: 1, last_id: live.id })
})

t.test('GET refuses invalid values of limit, before and after', async t => {
  const queries = [
    ...['0', '-1', '101', '1e9', '1000000000', 'x', '1.5', '', '1&limit=2', '%00', '0x10', '%201'].map(text => `limit=${text}`),
    ...['-1', 'x', '1.5', '', '99999999999999999999'].flatMap(text => [`before=${text}`, `after=${text}`, `around=${text}`]),
    'around=1&before=2', 'around=1&after=0', 'around=1&before=3&after=1',
    'cursor=x', 'since=1', '__proto__=1'
  ]
  for (const query of queries) {
    const { status, body } = await get('general', `?${query}`)
    t.equal(status, 400, query)
    t.match(body, { statusCode: 400, error: 'Bad Request', code: 'invalid_request', message: /^Invalid request: ./ })
  }
})

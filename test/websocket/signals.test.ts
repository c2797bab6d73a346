import pg from 'pg'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t, { config: { limits: { connection_signals: 100 } } })
const rows = createRows(server.database)

const typing = (channel: string, fields: object = {}): object => ({ type: 'signal', channel, event: 'typing', ...fields })
const isSignal = ({ type }: Frame): boolean => type === 'signal'

t.test('[P42] every other subscribed connection gets a signal, with its data as it came, and nothing is stored', async t => {
  const [ann, ben, away] = [await server.enter('ann', 'talk'), await server.enter('ben', 'talk'), await server.enter('away')]
  const tab = await server.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'talk' })
  const { id, name, handle } = ann.person.user
  const values = [{ typing: true }, [1, 'ü😀', null, { a: [0.5, -1] }], '', 0, false]
  for (const given of [{}, ...values.map(data => ({ data }))]) {
    t.same(await ann.exchange(typing('talk', given)), { type: 'success', action: 'signal_sent', data: { channel: 'talk' } })
    for (const client of [ben, tab]) {
      const { timestamp, ...frame } = await client.expect('signal')
      t.same(frame, { type: 'signal', channel: 'talk', event: 'typing', user_id: id, username: name, handle, ...given })
      t.equal(new Date(timestamp).toISOString(), timestamp)
    }
  }
  await ann.request(typing('talk', { data: null }))
  t.notOk('data' in await ben.expect('signal'), 'null is no data')
  for (const client of [ann, away]) t.notOk((await client.settle()).some(isSignal))

  const { status, body } = await server.call('POST', '/api/channels/talk/signals', {
    token: ann.person.access_token, body: { event: 'wave', data: { n: 1 } }
  })
  t.same([status, body], [204, null])
  for (const client of [ann, ben]) {
    t.match(await client.expect('signal'), { event: 'wave', user_id: id, username: name, handle, data: { n: 1 } })
  }
  t.equal(await server.database.prisma.message.count(), 0)
  t.match(await server.database.prisma.channel.findUnique({ where: { name: 'talk' } }), { lastSeq: 0n })
})

t.test('[P42] [P19] a signal needs the right to send, over WebSocket and REST: subscription or membership, no mute, no ban', async t => {
  const ann = await server.enter('ann', 'rights')
  const ben = await server.enter('ben')
  const about = { channel: 'rights', user_id: ben.person.user.id }
  const token = ben.person.access_token
  const post = async (channel = 'rights') => {
    const { status, body } = await server.call('POST', `/api/channels/${channel}/signals`, { token, body: { event: 'typing' } })
    return body?.code ?? status
  }
  const hidden = await rows.channel('private')
  for (const channel of ['rights', 'no-such-channel', hidden.name]) {
    t.same(await ben.exchange(typing(channel)), failure('not_in_channel'))
    t.equal(await post(channel), channel === 'rights' ? 'not_in_channel' : 'channel_not_found')
  }
  t.same(await (await server.connect()).exchange(typing('rights')), failure('not_authenticated'))
  await ben.request({ type: 'join_channel', channel: 'rights' })
  t.same([(await ben.exchange(typing('rights'))).action, await post()], ['signal_sent', 204])

  await ann.request({ command: 'mute_user', ...about, duration: 600 })
  const muted = await ben.exchange(typing('rights'))
  t.match(muted, { ...failure('muted'), retry_after_ms: Number })
  t.ok(muted.retry_after_ms > 590_000 && muted.retry_after_ms <= 600_000)
  t.equal(await post(), 'muted')
  const tab = await server.login(ben.person)
  await ben.request({ type: 'unsubscribe_channel', channel: 'rights' })
  await tab.request({ type: 'join_channel', channel: 'rights' })
  t.equal((await tab.exchange(typing('rights'))).code, 'muted', 'a mute binds also those who join later')
  await ann.request({ command: 'unmute_user', ...about })
  t.equal((await tab.exchange(typing('rights'))).action, 'signal_sent')
  await ann.request({ command: 'mute_user', ...about, duration: 4 })
  t.equal((await tab.exchange(typing('rights'))).code, 'muted')
  await eventually(async () => (await tab.exchange(typing('rights'))).action === 'signal_sent')

  await ann.request({ command: 'ban_user', ...about })
  t.same(await tab.exchange(typing('rights')), failure('not_in_channel'))
  t.equal(await post(), 'banned')
  await ann.settle()
  const before = ann.inbox.filter(isSignal).length
  for (const client of [ben, tab]) await client.exchange(typing('rights'))
  t.equal((await ann.settle()).filter(isSignal).length, before, 'nobody hears of what is refused')
})

t.test('[P9] [P42] bad fields are refused over WebSocket and REST, and the largest data that is allowed passes', async t => {
  const [ann, ben] = [await server.enter('ann', 'fields'), await server.enter('ben', 'fields')]
  const nested = (depth: number): unknown => depth === 0 ? 1 : [nested(depth - 1)]
  const raw = [
    '{}', '{"event":null}', '{"event":7}', '{"event":""}', '{"event":"Typing"}', '{"event":"1x"}', '{"event":"a b"}',
    `{"event":"${'a'.repeat(33)}"}`,
    ...['9007199254740992', '-9007199254740993', '1e400', '"a\\u0000b"', '"\\ud800"', '{"__proto__":1}', '{"a":[{"__proto__":{}}]}',
      '{"a\\u0000":1}', JSON.stringify(nested(9)), JSON.stringify('x'.repeat(1023)), JSON.stringify('ü'.repeat(512))
    ].map(data => `{"event":"typing","data":${data}}`)
  ]
  for (const text of raw) {
    const client = await server.login(ann.person)
    await client.request({ type: 'join_channel', channel: 'fields' })
    client.send(`{"type":"signal","channel":"fields","ref":"r",${text.slice(1)}`.replace(',}', '}'))
    t.match(await client.expect(({ ref }) => ref === 'r'), { code: 'invalid_frame', message: /^Invalid message: .+/ }, text)
    const { status } = await server.call('POST', '/api/channels/fields/signals', { token: ann.person.access_token, body: text })
    t.equal(status, 400, text)
  }
  t.same(await ann.exchange({ type: 'signal', event: 'typing' }), failure('channel_required'))
  t.same(await ann.exchange(typing('Über')), failure('invalid_channel_name'))
  t.notOk((await ben.settle()).some(isSignal))
  for (const data of ['x'.repeat(1022), nested(8), 9007199254740991, 1.5e-300, { constructor: 1, toString: null }]) {
    await ann.request({ ...typing('fields', { data }), event: 'a'.repeat(32) })
    t.same((await ben.expect('signal')).data, data)
  }
})

t.test('[P42] [P35] signals have a limit of their own for each connection, ten seconds\' worth at once', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const tab = await server.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'general' })
  for (let ref = 0; ref < 120; ref++) ann.send({ ...typing('general'), ref })
  const replies = await Promise.all(Array.from({ length: 120 }, (_, ref) => ann.expect(frame => frame.ref === ref)))
  const passed = replies.filter(({ action }) => action === 'signal_sent').length
  t.ok(passed >= 100 && passed < 120, `${passed} passed`)
  t.ok(replies.every(({ action, code, retry_after_ms: wait }) => action || (code === 'rate_limited' && wait > 0)))
  t.equal((await tab.exchange(typing('general'))).action, 'signal_sent')
  t.equal((await ann.exchange({ type: 'send_message', channel: 'general', message: 'x' })).action, 'message_sent')
})

t.test('[P42] a signal over WebSocket does not touch the database', async t => {
  const [ann, ben] = [await server.enter('ann', 'alone'), await server.enter('ben', 'alone')]
  const rival = new pg.Client(server.databaseUrl)
  await rival.connect()
  t.teardown(() => rival.end())
  await rival.query('BEGIN')
  for (const table of ['User', 'Channel', 'ChannelUser', 'ChannelMute', 'ChannelBan', 'Message', 'RefreshToken']) {
    await rival.query(`LOCK TABLE "${table}"`)
  }
  for (let i = 0; i < 10; i++) await ann.request(typing('alone', { data: i }))
  for (let i = 0; i < 10; i++) t.match(await ben.expect('signal'), { data: i })
  await rival.query('ROLLBACK')
})

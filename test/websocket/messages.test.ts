import { failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

t.test('[P25] missing and blank messages are refused, whatever white space they have', async t => {
  const ann = await server.enter('ann', 'general')
  for (const message of [undefined, null, '', ' ', '\n\t ', '\u00a0\u2003', '\ufeff']) {
    t.same(await ann.exchange({ type: 'send_message', channel: 'general', message }), failure('message_required'), JSON.stringify(message))
  }
})

t.test('[P25] a message may have 4000 code points, and an emoji counts as one', async t => {
  const ann = await server.enter('ann', 'general')
  for (const sign of ['a', 'ä', '\u{1F600}', '漢']) {
    const message = sign.repeat(4000)
    await ann.request({ type: 'send_message', channel: 'general', message })
    t.equal((await ann.expect('message')).message, message, `4000 of ${sign}`)
    const longer = await ann.exchange({ type: 'send_message', channel: 'general', message: message + sign })
    t.same(longer, failure('message_too_long'), `4001 of ${sign}`)
  }
})

t.test('[P25] max_message_length can be configured and counts code points', async t => {
  const server = await startServer(t, { config: { channels: { max_message_length: 3 } } })
  const ann = await server.enter('ann', 'general')
  await ann.request({ type: 'send_message', channel: 'general', message: '\u{1F600}'.repeat(3) })
  t.same(await ann.exchange({ type: 'send_message', channel: 'general', message: '\u{1F600}'.repeat(4) }), failure('message_too_long'))
  t.equal((await ann.exchange({ type: 'send_message', channel: 'general', message: 'abcd' })).code, 'message_too_long')
})

t.test('[P9] [P25] messages with NUL or lone surrogates and messages of other JSON types answer invalid_frame', async t => {
  for (const messages of [['a\0b', '\0', '\ud83d', 'a\udc00b', '\udc00\ud800'], [1, true, ['x'], { a: 1 }]]) {
    // The messages are split over two connections, because ten invalid frames close one with 4501.
    const ann = await server.enter('ann', 'general')
    for (const message of messages) {
      const reply = await ann.exchange({ type: 'send_message', channel: 'general', message })
      t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: message: / }, JSON.stringify(message))
    }
  }
})

t.test('[P9] [P28] a client_id has to be text of 1 to 64 characters', async t => {
  const ann = await server.enter('ann', 'general')
  for (const clientId of ['', 'x'.repeat(65), 1, null, {}, 'a\0b', '\ud800']) {
    const reply = await ann.exchange({ type: 'send_message', channel: 'general', message: 'x', client_id: clientId })
    t.match(reply, { code: 'invalid_frame', message: /^Invalid message: client_id: / }, JSON.stringify(clientId))
  }
  for (const clientId of ['x', 'x'.repeat(64), ' ', "'; --", '__proto__', 'constructor']) {
    const { data } = await ann.request({ type: 'send_message', channel: 'general', message: 'x', client_id: clientId })
    t.equal(data.client_id, clientId)
    t.notOk(data.duplicate)
  }
})

t.test('[P25] text is stored and delivered unchanged: quotes, SQL, HTML, bidi, combining marks, every plane', async t => {
  const ann = await server.enter('ann', 'verbatim')
  const texts = [
    "'; DROP TABLE \"Message\"; --", '<script>alert(1)</script>', '\\u0000 \\x00 %00 $1 {{x}}', ' leading and trailing ',
    '\u202egnirts\u202c', 'e\u0301', '\u{10FFFF}', 'a\u2028\u2029b', '"\\/\b\f\n\r\t\u0001\u001f', '👩‍👩‍👧‍👦', '\uFFFE\uFFFF', 'null'
  ]
  for (const message of texts) {
    await ann.request({ type: 'send_message', channel: 'verbatim', message })
    t.equal((await ann.expect('message')).message, message)
  }
  const { body } = await server.call('GET', '/api/channels/verbatim/messages', { token: ann.person.access_token })
  t.same(body.messages.map(({ message }: { message: string }) => message), texts)
})

t.test('[P26] a message without a membership or without a subscription on the connection answers not_in_channel', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel()
  const send = { type: 'send_message', channel: channel.name, message: 'x' }
  t.same(await ann.exchange(send), failure('not_in_channel'))
  await rows.member(channel, ann)
  t.same(await ann.exchange(send), failure('not_in_channel'))
  await ann.request({ type: 'join_channel', channel: channel.name })
  await server.database.prisma.channelUser.deleteMany({ where: { channelId: channel.id } })
  t.same(await ann.exchange(send), failure('not_in_channel'))
  t.same(await ann.exchange({ ...send, channel: 'nowhere' }), failure('not_in_channel'))
  t.equal(await server.database.prisma.message.count({ where: { channelId: channel.id } }), 0)
})

t.test('[P26] [P29] the ack comes before the sender\'s own message, and an acked message is already stored', async t => {
  const ann = await server.enter('ann', 'acked')
  const order: string[] = []
  ann.socket.on('message', data => {
    const frame = JSON.parse(String(data))
    if (frame.type === 'message') order.push(`message ${frame.seq}`)
    if (frame.action === 'message_sent') order.push(`ack ${frame.data.seq}`)
  })
  for (let seq = 1; seq <= 20; seq++) {
    const { data } = await ann.request({ type: 'send_message', channel: 'acked', message: `m${seq}` })
    t.equal(data.seq, seq)
    const row = await server.database.prisma.message.findUnique({ where: { id: data.id } })
    t.match(row, { content: `m${seq}`, seq: BigInt(seq), userId: ann.person.user.id, createdAt: new Date(data.timestamp) })
  }
  await ann.expect(({ type, seq }) => type === 'message' && seq === 20)
  for (let seq = 1; seq <= 20; seq++) t.ok(order.indexOf(`ack ${seq}`) < order.indexOf(`message ${seq}`), `ack ${seq} first`)
})

t.test('[P27] eight writers at two instances see the same order, live and in history, without a gap', async t => {
  const config = { redis: redis() }
  const first = await startServer(t, { config })
  const second = await startServer(t, { config, databaseUrl: first.databaseUrl })
  const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? first : second).enter(`writer${i}`, 'general')))
  const EACH = 50
  const acked = await Promise.all(clients.flatMap((client, i) => Array.from({ length: EACH }, (_, n) =>
    client.request({ type: 'send_message', channel: 'general', message: `${i}:${n}` }))))
  const total = clients.length * EACH
  t.same(acked.map(({ data }) => data.seq).sort((a, b) => a - b), Array.from({ length: total }, (_, i) => i + 1), 'each seq once')

  const history: string[] = []
  for (let after = 0; after < total;) {
    const { body } = await first.call('GET', `/api/channels/general/messages?after=${after}&limit=100`, {
      token: clients[0]!.person.access_token
    })
    for (const { seq, id } of body.messages) history.push(`${seq} ${id}`)
    after = body.messages.at(-1).seq
  }
  for (const client of clients) {
    const live: string[] = []
    while (live.length < total) {
      const { seq, id } = await client.expect('message')
      live.push(`${seq} ${id}`)
    }
    t.same(live, history)
    await client.settle()
    t.notOk(client.inbox.some(({ type }) => type === 'message'), 'no message came twice')
  }
})

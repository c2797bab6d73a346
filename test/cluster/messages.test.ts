import type { Client } from '../client.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const EACH = 100

const seqsOf = ({ inbox }: Client): number[] => inbox.filter(({ type }) => type === 'message').map(({ seq }) => seq)

t.test('[P27] while clients of two instances send at once, every client receives all messages in the order of history', async t => {
  const clients = [await a.enter('ann', 'both'), await b.enter('ben', 'both'), await a.enter('carl', 'both'), await b.enter('dora', 'both')]
  const acks = await Promise.all(clients.map((client, i) =>
    Promise.all(Array.from({ length: EACH }, (_, n) => client.request({ type: 'send_message', channel: 'both', message: `${i} ${n}` })))))
  const count = EACH * clients.length
  const all = Array.from({ length: count }, (_, i) => i + 1)
  t.same(acks.flat().map(({ data }) => data.seq).sort((x, y) => x - y), all, 'every seq is acked exactly once')
  const ids = new Map(acks.flat().map(({ data }) => [data.seq, data.id]))
  for (const client of clients) {
    await client.expect(({ type, seq }) => type === 'message' && seq === count)
    t.same(seqsOf(client), all.slice(0, -1), 'the client receives every message once and in order')
    t.ok(client.inbox.every(({ type, seq, id }) => type !== 'message' || ids.get(seq) === id))
  }
  for (const sent of acks) {
    const own = sent.map(({ data }) => data.seq)
    t.same(own, own.toSorted((x, y) => x - y), 'the messages of one sender keep their order')
  }
  const token = clients[0]!.person.access_token
  const { messages } = (await a.call('GET', '/api/channels/both/messages?after=0&limit=100', { token })).body
  t.same(messages.map(({ seq, id }: { seq: number, id: string }) => [seq, id]), all.slice(0, 100).map(seq => [seq, ids.get(seq)]))
})

t.test('[P27] edits, deletions and REST messages arrive in the same order on both instances', async t => {
  const ann = await a.enter('ann', 'mixed')
  const ben = await b.enter('ben', 'mixed')
  const first = await ann.request({ type: 'send_message', channel: 'mixed', message: 'frist' })
  await ann.request({ type: 'command', command: 'edit_message', channel: 'mixed', id: first.data.id, message: 'first' })
  await b.call('POST', '/api/channels/mixed/messages', { token: ben.person.access_token, body: { message: 'second' } })
  await ann.request({ type: 'command', command: 'delete_message', channel: 'mixed', id: first.data.id })
  for (const client of [ann, ben]) {
    await client.expect('message_deleted')
    const stream = client.inbox.filter(({ seq }) => seq !== undefined).map(({ seq, type, message }) => [seq, type, message])
    t.same(stream, [[1, 'message', 'frist'], [2, 'message_edited', 'first'], [3, 'message', 'second']])
  }
})

t.test('[P38] [P39] a reply with data on one instance reaches the other as it was sent, and so does an edit of its data', async t => {
  const [ann, ben] = [await a.enter('ann', 'replies'), await b.enter('ben', 'replies')]
  const { data: { id: target } } = await ann.request({ type: 'send_message', channel: 'replies', message: 'first' })
  await ben.request({ type: 'send_message', channel: 'replies', data: { a: ['ä'] }, reply_to: target })
  const { id } = await ann.expect(({ type, seq }) => type === 'message' && seq === 2)
  await ben.request({ command: 'edit_message', channel: 'replies', id, data: 'new' })
  for (const client of [ann, ben]) {
    t.match(await client.expect('message_edited'), { id, message: '', data: 'new' })
  }
  t.match(await ben.expect(({ type, seq }) => type === 'message' && seq === 2), { message: '', data: { a: ['ä'] }, reply_to: target })
})

t.test('[P30] [P37] a client that missed messages on one instance resumes on the other', async t => {
  const ann = await a.enter('ann', 'moving')
  const ben = await b.enter('ben', 'moving')
  for (let i = 1; i <= 3; i++) await ben.request({ type: 'send_message', channel: 'moving', message: `${i}` })
  const { id: sinceId } = await ann.expect(({ type, seq }) => type === 'message' && seq === 3)
  await ann.close()
  for (let i = 4; i <= 9; i++) await ben.request({ type: 'send_message', channel: 'moving', message: `${i}` })
  const { channel_id, last_id: lastId } = (await a.call('GET', '/api/channels/moving/messages', { token: ben.person.access_token })).body
  const back = await b.login(ann.person)
  const { data } = await back.request({ type: 'join_channel', channel: 'moving', since: 3, since_id: sinceId, channel_id })
  t.match(data, { recovered: true, seq: 9, last_id: lastId })
  t.same(data.messages.map(({ seq }: { seq: number }) => seq), [4, 5, 6, 7, 8, 9])
})

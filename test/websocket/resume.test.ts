import { randomUUID } from 'node:crypto'
import type { Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { t, type Test } from '../tap.ts'

/** Bytes that the `messages` of a join may have in these tests: half of the smallest `max_buffered` that is allowed. */
const REPLAY = 32_768
const server = await startServer(t, { config: { channels: { resume_limit: 10 }, performance: { max_buffered: 2 * REPLAY } } })

/** Creates a channel with `count` messages, by default `m1`, `m2` and so on. @returns its name, its id and the member who sent them. */
async function filled (count: number, text = (n: number) => `m${n}`) {
  const name = `r-${randomUUID()}`
  const writer = await server.enter('writer')
  const { data }: Frame = await writer.request({ type: 'join_channel', channel: name })
  for (let n = 1; n <= count; n++) await writer.request({ type: 'send_message', channel: name, message: text(n), client_id: `c${n}` })
  return { name, id: data.channel_id as string, writer }
}

/** Joins with `since` and checks that the live stream continues right after the `seq` of the reply. */
async function resume (t: Test, { name, id, writer }: Awaited<ReturnType<typeof filled>>, since: number, channelId = id): Promise<Frame> {
  const reader = await server.enter('reader')
  const { data } = await reader.request({ type: 'join_channel', channel: name, since, channel_id: channelId })
  t.equal(data.channel_id, id)
  const { data: sent } = await writer.request({ type: 'send_message', channel: name, message: 'live' })
  t.equal(sent.seq, data.seq + 1)
  t.equal((await reader.expect('message')).seq, data.seq + 1, 'the live stream continues from seq')
  return data
}

const seqs = (data: Frame): number[] => data.messages.map(({ seq }: Frame) => seq)

t.test('[P30] a resume has every message after since, in order, each with the fields of its live frame', async t => {
  const channel = await filled(5)
  const data = await resume(t, channel, 2)
  t.match(data, { seq: 5, recovered: true })
  t.same(seqs(data), [3, 4, 5])
  const [first] = data.messages
  t.same(Object.keys(first).sort(), ['channel', 'client_id', 'id', 'message', 'seq', 'timestamp', 'type', 'user_id', 'username'])
  t.match(first, { type: 'message', channel: channel.name, message: 'm3', client_id: 'c3', username: 'writer' })
  const live = await channel.writer.expect(({ type, seq }) => type === 'message' && seq === 3)
  t.same(first, live, 'equal to the live frame')
})

t.test('[P30] a channel_id may be written in capitals', async t => {
  const channel = await filled(3)
  const data = await resume(t, channel, 1, channel.id.toUpperCase())
  t.match(data, { seq: 3, recovered: true })
  t.same(seqs(data), [2, 3])
})

t.test('[P30] a resume without missed messages is recovered and has no messages', async t => {
  const channel = await filled(3)
  t.match(await resume(t, channel, 3), { seq: 3, recovered: true, messages: [] })
  t.match(await resume(t, await filled(0), 0), { seq: 0, recovered: true, messages: [] })
})

t.test('[P30] since 0 replays the whole channel', async t => {
  t.same(seqs(await resume(t, await filled(3), 0)), [1, 2, 3])
})

t.test('[P30] up to resume_limit messages are replayed, and none if there is one more', async t => {
  const channel = await filled(12)
  const exact = await resume(t, channel, 2)
  t.match(exact, { recovered: true, seq: 12 })
  t.same(seqs(exact), [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  t.match(await resume(t, channel, 2), { recovered: false, messages: [], seq: 13 })
})

t.test('[P30] a resume with since beyond seq is not recovered', async t => {
  const channel = await filled(2)
  t.match(await resume(t, channel, 3), { recovered: false, messages: [], seq: 2 })
  t.match(await resume(t, channel, Number.MAX_SAFE_INTEGER), { recovered: false, messages: [], seq: 3 })
})

t.test('[P30] a resume with another channel_id is not recovered', async t => {
  const channel = await filled(2)
  t.match(await resume(t, channel, 1, randomUUID()), { recovered: false, messages: [], seq: 2 })
})

t.test('[P30] a resume that misses a pruned entry is not recovered, and a resume that misses only later ones is', async t => {
  const channel = await filled(5)
  await server.database.prisma.message.deleteMany({ where: { channelId: channel.id, seq: { lte: 3 } } })
  t.match(await resume(t, channel, 2), { recovered: false, messages: [], seq: 5 })
  const behind = await resume(t, channel, 3)
  t.match(behind, { recovered: true, seq: 6 })
  t.same(seqs(behind), [4, 5, 6])
})

t.test('[P30] messages of more than half of max_buffered, in bytes and not characters, are not replayed at all', async t => {
  const channel = await filled(8, () => '漢'.repeat(1500))
  t.match(await resume(t, channel, 0), { recovered: false, messages: [], seq: 8 }, '8 × 4.5 kB')
  const part = await resume(t, channel, 6)
  t.match(part, { recovered: true, seq: 9 })
  t.same(seqs(part), [7, 8, 9])
})

t.test('[P31] history gives the last n messages, and recovered is false', async t => {
  const { name } = await filled(5)
  for (const [history, expected] of [[1, [5]], [3, [3, 4, 5]], [100, [1, 2, 3, 4, 5]]] as const) {
    const reader = await server.enter('reader')
    const { data } = await reader.request({ type: 'join_channel', channel: name, history })
    t.match(data, { seq: 5, recovered: false })
    t.same(seqs(data), expected)
    t.match(data.messages.at(-1), { type: 'message', message: 'm5', client_id: 'c5' })
  }
})

t.test('[P31] history of an empty channel is empty', async t => {
  const { name } = await filled(0)
  const reader = await server.enter('reader')
  t.match((await reader.request({ type: 'join_channel', channel: name, history: 10 })).data, { seq: 0, recovered: false, messages: [] })
})

t.test('[P31] history gives only the newest messages if n messages would exceed half of max_buffered', async t => {
  const { name } = await filled(10, n => '漢'.repeat(1500) + n)
  const reader = await server.enter('reader')
  const { data } = await reader.request({ type: 'join_channel', channel: name, history: 10 })
  const got = seqs(data)
  t.ok(got.length > 4 && got.length < 8, `${got.length} of 10`)
  t.same(got, Array.from({ length: got.length }, (_, i) => 11 - got.length + i), 'the newest, in order')
  t.ok(Buffer.byteLength(JSON.stringify(data.messages)) <= REPLAY + 100)
})

t.test('[P30] since wins over history', async t => {
  const { name, id } = await filled(5)
  const reader = await server.enter('reader')
  const { data } = await reader.request({ type: 'join_channel', channel: name, since: 3, channel_id: id, history: 5 })
  t.match(data, { recovered: true })
  t.same(seqs(data), [4, 5])
})

t.test('[P20] [P30] joining again on the same connection replays messages, and the live stream does not repeat them', async t => {
  const { name, id, writer } = await filled(3)
  const { data } = await writer.request({ type: 'join_channel', channel: name, since: 1, channel_id: id })
  t.same(seqs(data), [2, 3])
  for (const seq of [1, 2, 3]) t.equal((await writer.expect('message')).seq, seq)
  await writer.request({ type: 'send_message', channel: name, message: 'live' })
  t.equal((await writer.expect('message')).seq, 4)
})

t.test('[P37] last_id is the id of the entry at seq, in channel_joined and in history, and null in an empty channel', async t => {
  const empty = await filled(0)
  const look = async (channel: string) => {
    const { data } = await (await server.enter('reader')).request({ type: 'join_channel', channel })
    const { body } = await server.call('GET', `/api/channels/${channel}/messages`, { token: empty.writer.person.access_token })
    t.same([body.last_seq, body.last_id], [data.seq, data.last_id], 'REST says the same')
    return { seq: data.seq, last_id: data.last_id }
  }
  t.same(await look(empty.name), { seq: 0, last_id: null })
  const { name, writer } = await filled(2)
  const sent = await writer.request({ type: 'send_message', channel: name, message: 'last' })
  t.same(await look(name), { seq: 3, last_id: sent.data.id })
  await writer.request({ command: 'edit_message', channel: name, id: sent.data.id, message: 'edited' })
  t.same(await look(name), { seq: 4, last_id: sent.data.id }, 'an edit has the id of its message')
  const { data: first } = await writer.request({ type: 'send_message', channel: name, message: 'x' })
  await writer.request({ command: 'delete_message', channel: name, id: sent.data.id })
  t.same(await look(name), { seq: 6, last_id: sent.data.id })
  const again = await writer.request({ type: 'join_channel', channel: name })
  t.match(again.data, { seq: 6, last_id: sent.data.id }, 'a repeated join')
  t.not(first.id, sent.data.id)
})

t.test('[P37] last_id belongs to seq also while others send', async t => {
  const { name, writer } = await filled(1)
  const joins = 30
  let isJoining = true
  const sent = new Map<number, string>()
  const sending = (async () => {
    while (isJoining) {
      const replies = await Promise.all([1, 2, 3].map(() => writer.request({ type: 'send_message', channel: name, message: 'x' })))
      for (const { data } of replies) sent.set(data.seq, data.id)
    }
  })()
  const reader = await server.enter('reader')
  const seen: Array<{ seq: number, last_id: string }> = []
  for (let i = 0; i < joins; i++) seen.push((await reader.request({ type: 'join_channel', channel: name })).data)
  isJoining = false
  await sending
  for (const { seq, last_id: id } of seen.filter(({ seq }) => seq > 1)) t.equal(id, sent.get(seq))
  await reader.expect(({ type, seq }) => type === 'message' && seq === Math.max(...sent.keys()))
  const seqs = reader.inbox.filter(({ type }) => type === 'message').map(({ seq }) => seq)
  t.same(seqs, seqs.map((_, i) => seqs[0] + i), 'the live stream has no gap and no repetition')
})

t.test('[P37] a resume is recovered if since_id is the id of the entry at since, and not if it is another or gone', async t => {
  const channel = await filled(4)
  const { name, id: channelId, writer } = channel
  const ids = (await server.call('GET', `/api/channels/${name}/messages`, { token: writer.person.access_token })).body.messages
    .map(({ id }: Frame) => id)
  const reader = await server.enter('reader')
  const join = async (since: number, sinceId: unknown) =>
    (await reader.request({ type: 'join_channel', channel: name, channel_id: channelId, since, since_id: sinceId })).data
  const [kept, lost] = [{ recovered: true, seq: 4 }, { recovered: false, messages: [], seq: 4 }]
  t.same(seqs(await join(2, ids[1])), [3, 4])
  t.match(await join(2, ids[1].toUpperCase()), kept)
  t.match(await join(4, ids[3]), { ...kept, messages: [] })
  t.same(seqs(await join(0, null)), [1, 2, 3, 4])
  t.match(await join(2, ids[2]), lost, 'the id of another entry')
  t.match(await join(4, ids[2]), lost, 'also without missed entries')
  t.match(await join(2, randomUUID()), lost)
  t.match(await join(0, ids[0]), lost, 'there is no entry at 0')
  t.match(await join(2, null), lost, 'null says that there was no entry')
  t.match(await join(5, ids[3]), lost, 'beyond seq')
  await server.database.prisma.message.deleteMany({ where: { channelId, seq: { lte: 2 } } })
  t.match(await join(2, ids[1]), lost, 'the entry at since is pruned')
  t.match((await reader.request({ type: 'join_channel', channel: name, channel_id: channelId, since: 2 })).data, kept, 'without since_id')
})

t.test('[P37] since_id wants an id or null, and since', async t => {
  const { name, id } = await filled(1)
  const reader = await server.enter('reader')
  for (const sinceId of [1, true, '', 'x', {}, [], `${randomUUID()}0`, '\0', '\ud800']) {
    const frame = { type: 'join_channel', channel: name, channel_id: id, since: 1, since_id: sinceId }
    t.match(await (await server.enter('reader')).exchange(frame), { type: 'error', code: 'invalid_frame', message: /since_id/ })
  }
  const alone = await reader.exchange({ type: 'join_channel', channel: name, channel_id: id, since_id: randomUUID() })
  t.match(alone, { code: 'invalid_frame', message: 'Invalid message: since: required with since_id' })
})

t.test('[P37] [G18] a client that resumes after the database was restored to an earlier moment is not misled', async t => {
  const first = await startServer(t)
  const before = await first.enter('ann', 'restored')
  const sent: Frame[] = []
  for (let n = 1; n <= 6; n++) sent.push((await before.request({ type: 'send_message', channel: 'restored', message: `old ${n}` })).data)
  await first.close()

  const second = await startServer(t, { databaseUrl: first.databaseUrl })
  const { prisma } = second.database
  await prisma.message.deleteMany({ where: { seq: { gt: 3 } } })
  const { id: channelId } = await prisma.channel.update({ where: { name: 'restored' }, data: { lastSeq: 3 } })
  const client = await second.login(before.person)
  const join = async (seq: number) => (await client.request({
    type: 'join_channel', channel: 'restored', channel_id: channelId, since: seq, since_id: sent[seq - 1]!.id
  })).data
  t.match(await join(6), { recovered: false, seq: 3, last_id: sent[2]!.id }, 'the channel has not reached the seq again')
  for (let n = 4; n <= 7; n++) await client.request({ type: 'send_message', channel: 'restored', message: `new ${n}` })
  for (const seq of [4, 5, 6]) t.match(await join(seq), { recovered: false, messages: [], seq: 7 }, `it has another entry at ${seq}`)
  const right = await join(3)
  t.equal(right.recovered, true)
  t.same(right.messages.map(({ message }: Frame) => message), ['new 4', 'new 5', 'new 6', 'new 7'])
})

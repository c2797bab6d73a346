import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { t, type Test } from '../tap.ts'

/** Bytes that the `messages` of a join may have in these tests: half of the smallest `max_buffered` that is allowed. */
const REPLAY = 32_768
const server = await startServer(t, { config: { channels: { resume_limit: 10 }, performance: { max_buffered: 2 * REPLAY } } })

/** Creates a channel with `count` messages, by default `m1`, `m2` and so on. @returns its name, its id and the member who sent them. */
async function filled (count: number, text = (n: number) => `m${n}`): Promise<{ name: string, id: string, writer: Client }> {
  const name = `r-${randomUUID()}`
  const writer = await server.enter('writer')
  const { data } = await writer.request({ type: 'join_channel', channel: name })
  for (let n = 1; n <= count; n++) await writer.request({ type: 'send_message', channel: name, message: text(n), client_id: `c${n}` })
  return { name, id: data.channel_id, writer }
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

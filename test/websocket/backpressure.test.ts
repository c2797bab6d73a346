import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, opcode, text } from './raw.ts'

const KILOBYTES = 60
// More than the limits allow comes in a rush here.
const limits = { enabled: false }
const config = { limits, channels: { max_message_length: 100_000 }, performance: { max_buffered: 65_536 } }

/** A connection by hand that has joined `loud` and is not read any further. */
async function connectStalled (t: Parameters<typeof connectRaw>[0], server: Server) {
  const { access_token: token } = await server.register('stalled')
  const client = await connectRaw(t, server.port, Buffer.concat([
    text({ type: 'authenticate', token, ref: 1 }), text({ type: 'join_channel', channel: 'loud', ref: 2 })
  ]))
  await client.replies(2)
  client.socket.pause()
  return client
}

t.test('[G6] a client that does not read is cut off with 4400, and nobody else misses anything', async t => {
  const server = await startServer(t, { config })
  const control = await createControl(server)
  const ann = await server.enter('ann', 'loud')
  const ben = await server.enter('ben', 'loud')
  const stalled = await connectStalled(t, server)
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'stalled')
  const message = 'x'.repeat(KILOBYTES * 1000)
  let sent = 0
  const gone = (): boolean => ann.inbox.some(({ type, username }) => type === 'user_left' && username === 'stalled')
  // The kernel's own buffers take some megabytes first.
  while (!gone()) {
    await ann.request({ type: 'send_message', channel: 'loud', message })
    sent++
  }
  for (let seq = 1; seq <= sent; seq++) if ((await ben.expect('message')).seq !== seq) t.fail(`${seq} is missing`)
  await control(t, 'after the slow one')

  stalled.socket.resume()
  await stalled.ended()
  const seqs = stalled.texts().filter(({ type }) => type === 'message').map(({ seq }) => seq)
  t.same(seqs, seqs.map((_, i) => i + 1), 'what it still got has no gap: it resumes by seq')
  t.ok(seqs.length < sent)
  const last = stalled.frames.at(-1)!
  if (last.code === opcode.close) t.equal(last.payload.readUInt16BE(0), 4400)
})

t.test('a client that asks and does not read the answers is not read either, and gets them all in order when it reads', async t => {
  const server = await startServer(t, { config })
  const control = await createControl(server)
  const ann = await server.enter('ann', 'loud')
  await ann.request({ type: 'send_message', channel: 'loud', message: 'x'.repeat(30_000) })
  const stalled = await connectStalled(t, server)
  const before = process.memoryUsage().rss
  // Together 15 MB of answers to 35 kB.
  const count = 500
  stalled.write(...Array.from({ length: count }, (_, ref) => text({ type: 'join_channel', channel: 'loud', history: 1, ref: ref + 3 })))
  await control(t, 'beside the one that does not read')
  t.ok(process.memoryUsage().rss - before < 32 * 1_048_576)
  stalled.socket.resume()
  const replies = await stalled.replies(count + 2, 30_000)
  t.same(replies.map(({ ref }) => ref), replies.map((_, i) => i + 1))
  t.equal(replies.length, count + 2)
  t.ok(replies.slice(2).every(({ data }) => data.messages.length === 1))
  t.notOk(stalled.frames.some(({ code }) => code === opcode.close))
})

t.test('a client that floods with requests and reads is answered at its pace, and others beside it', async t => {
  const server = await startServer(t, { config: { limits } })
  const control = await createControl(server)
  const flood = await connectRaw(t, server.port)
  const count = 20_000
  for (let i = 0; i < count; i += 1000) flood.write(...Array.from({ length: 1000 }, (_, ref) => text({ type: 'shout', ref: i + ref })))
  await control(t, 'during the flood')
  await eventually(() => flood.frames.length > count)
  t.same((await flood.replies(count)).every(({ ref }, i) => ref === i), true)
})

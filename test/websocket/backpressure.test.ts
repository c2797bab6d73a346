import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, opcode, text } from './raw.ts'

const KILOBYTES = 60
// The tests send more at once than the limits allow.
const limits = { enabled: false }
const config = { limits, channels: { max_message_length: 100_000 }, performance: { max_buffered: 65_536 } }

/** Opens a raw connection that joins `loud` and then stops reading. */
async function connectStalled (t: Parameters<typeof connectRaw>[0], server: Server) {
  const { access_token: token } = await server.register('stalled')
  const client = await connectRaw(t, server.port, Buffer.concat([
    text({ type: 'authenticate', token, ref: 1 }), text({ type: 'join_channel', channel: 'loud', ref: 2 })
  ]))
  await client.replies(2)
  client.socket.pause()
  return client
}

t.test('[G6] a client that does not read is cut off with 4400, and no other client misses a message', async t => {
  const server = await startServer(t, { config })
  const control = await createControl(server)
  const ann = await server.enter('ann', 'loud')
  const ben = await server.enter('ben', 'loud')
  const stalled = await connectStalled(t, server)
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'stalled')
  const message = 'x'.repeat(KILOBYTES * 1000)
  let sent = 0
  const gone = (): boolean => ann.inbox.some(({ type, username }) => type === 'user_left' && username === 'stalled')
  // The socket buffers of the kernel take some megabytes before anything waits in the server.
  while (!gone()) {
    await ann.request({ type: 'send_message', channel: 'loud', message })
    sent++
  }
  for (let seq = 1; seq <= sent; seq++) if ((await ben.expect('message')).seq !== seq) t.fail(`${seq} is missing`)
  await control(t, 'after the slow client')

  stalled.socket.resume()
  await stalled.ended()
  const seqs = stalled.texts().filter(({ type }) => type === 'message').map(({ seq }) => seq)
  t.same(seqs, seqs.map((_, i) => i + 1), 'the received messages have no gap, so that the client can resume')
  t.ok(seqs.length < sent)
  const last = stalled.frames.at(-1)!
  if (last.code === opcode.close) t.equal(last.payload.readUInt16BE(0), 4400)
})

t.test('the server does not read a client that does not read replies, and sends all replies in order once it reads', async t => {
  const server = await startServer(t, { config })
  const control = await createControl(server)
  const ann = await server.enter('ann', 'loud')
  await ann.request({ type: 'send_message', channel: 'loud', message: 'x'.repeat(30_000) })
  const stalled = await connectStalled(t, server)
  const before = process.memoryUsage().rss
  // These 35 kB of requests have 15 MB of replies.
  const count = 500
  stalled.write(...Array.from({ length: count }, (_, ref) => text({ type: 'join_channel', channel: 'loud', history: 1, ref: ref + 3 })))
  await control(t, 'beside the client that does not read')
  t.ok(process.memoryUsage().rss - before < 32 * 1_048_576)
  stalled.socket.resume()
  const replies = await stalled.replies(count + 2, 30_000)
  t.same(replies.map(({ ref }) => ref), replies.map((_, i) => i + 1))
  t.equal(replies.length, count + 2)
  t.ok(replies.slice(2).every(({ data }) => data.messages.length === 1))
  t.notOk(stalled.frames.some(({ code }) => code === opcode.close))
})

t.test('a client that floods the server and reads gets all replies, and other clients are answered meanwhile', async t => {
  const server = await startServer(t, { config: { limits } })
  const control = await createControl(server)
  const flood = await connectRaw(t, server.port)
  const count = 5000
  for (let i = 0; i < count; i += 1000) flood.write(...Array.from({ length: 1000 }, (_, ref) => text({ type: 'shout', ref: i + ref })))
  await control(t, 'during the flood')
  await eventually(() => flood.frames.length > count)
  t.same((await flood.replies(count)).every(({ ref }, i) => ref === i), true)
})

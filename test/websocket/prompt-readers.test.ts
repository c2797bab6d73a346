import pg from 'pg'
import { createClients, type Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer, type Server } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { t, type Test } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, text } from './raw.ts'
import { openThrottledLine } from './throttled-line.ts'

/** A message of 11,970 bytes in UTF-8. */
const MESSAGE = '語'.repeat(3990)
const COUNT = 40
/** The least that may be set. A burst of messages has seven times as many bytes. */
const performance = { max_buffered: 65_536 }
const metrics = { token: 'the-token-of-the-metrics' }

/** Checks that every message arrives in order and that the connection stays open. */
async function expectAll (t: Test, reader: Client, count = COUNT): Promise<void> {
  for (let seq = 1; seq <= count; seq++) {
    const received = await reader.expect('message')
    if (received.seq !== seq || received.message !== MESSAGE) throw new Error(`${received.seq} came instead of ${seq}`)
  }
  t.match(await reader.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
}

/** Sends `COUNT` messages at once, each again until it is acked. */
async function sendUntilAcked (writer: Client, channel: string): Promise<void> {
  const send = async (): Promise<void> => {
    const { code } = await writer.exchange({ type: 'send_message', channel, message: MESSAGE })
    if (code === 'unavailable') return send()
    if (code !== undefined) throw new Error(code)
  }
  await Promise.all(Array.from({ length: COUNT }, send))
}

async function measure ({ origin }: Server, name: string): Promise<number> {
  const response = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${metrics.token}` } })
  return parseMetrics(await response.text()).value(name)
}

function sendAll (writer: Client, channel: string, count = COUNT): void {
  for (let i = 0; i < count; i++) writer.send({ type: 'send_message', channel, message: MESSAGE })
}

t.test('[P52] 480 kB of messages sent at once cut off no client that reads, on either instance', async t => {
  const config = { redis: redis(), performance }
  const a = await startServer(t, { config })
  const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
  const writer = await a.enter('writer', 'burst')
  const readers = [await a.enter('ann', 'burst'), await b.enter('ben', 'burst')]
  sendAll(writer, 'burst')
  for (const reader of [writer, ...readers]) await expectAll(t, reader)

  const [there, here] = [await a.enter('carl', 'posted'), await b.enter('dora', 'posted')]
  const token = here.person.access_token
  const posts = Array.from({ length: COUNT }, () => a.call('POST', '/api/channels/posted/messages', { token, body: { message: MESSAGE } }))
  t.ok((await Promise.all(posts)).every(({ status }) => status === 201))
  for (const reader of [there, here]) await expectAll(t, reader)
})

t.test('[P52] messages that wait while the database is locked cut off no client when they are all sent at once', async t => {
  const server = await startServer(t, { config: { metrics, performance } })
  const [writer, reader] = [await server.enter('writer', 'locked'), await server.enter('ann', 'locked')]
  const holder = new pg.Client(server.databaseUrl)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE "Message" IN EXCLUSIVE MODE')
  const sent = sendUntilAcked(writer, 'locked')
  await eventually(async () => await measure(server, 'parley_publish_queue_messages') > COUNT / 2)
  await holder.query('ROLLBACK')
  await sent
  for (const client of [writer, reader]) await expectAll(t, client)
})

t.test('[P33] [P52] catching up from the database while Redis is dead cuts off no client of the other instance', async t => {
  const config = { redis: { url: 'redis://127.0.0.1:1', prefix: '' }, performance }
  const a = await startServer(t, { config })
  const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
  const [writer, reader] = [await a.enter('writer', 'dead'), await b.enter('ann', 'dead')]
  const bursts = 4
  for (let i = 0; i < bursts; i++) {
    sendAll(writer, 'dead')
    await writer.settle()
  }
  for (const client of [writer, reader]) await expectAll(t, client, bursts * COUNT)
})

t.test('[P52] a connection that takes 2 s for the reply to a join is not closed for a late pong', async t => {
  const server = await startServer(t, { config: { performance: { heartbeat_interval: 3, pong_timeout: 1 } } })
  const writer = await server.enter('writer', 'slow')
  sendAll(writer, 'slow', 35)
  await writer.settle()
  const port = await openThrottledLine(t, server.port, 200_000)
  const reader = await createClients(t, port).connect()
  await reader.request({ type: 'authenticate', token: (await server.register('ann')).access_token })
  // Every ping is sent behind a reply of 420 kB.
  for (let joins = 0; joins < 4; joins++) {
    const { data } = await reader.request({ type: 'join_channel', channel: 'slow', history: 35 })
    t.equal(data.messages.length, 35)
  }
})

/** Opens a raw connection that joins this channel and then stops reading. */
async function connectStalled (t: Test, server: Server, channel: string) {
  const { access_token: token } = await server.register('stalled')
  const client = await connectRaw(t, server.port, Buffer.concat([
    text({ type: 'authenticate', token, ref: 1 }), text({ type: 'join_channel', channel, ref: 2 })
  ]))
  await client.replies(2)
  client.socket.pause()
  return client
}

t.test('[P52] stalled clients that together hold more than max_buffered_total are cut off, and no other client is', async t => {
  const total = 1_048_576
  const server = await startServer(t, { config: { limits: { enabled: false }, metrics, performance: { max_buffered_total: total } } })
  const control = await createControl(server)
  const channels = ['one', 'two', 'three']
  const writer = await server.enter('writer', ...channels)
  const stalled = await Promise.all(channels.map(channel => connectStalled(t, server, channel)))
  const left = (): number => writer.inbox.filter(({ type, username }) => type === 'user_left' && username === 'stalled').length
  while (left() === 0) {
    // The socket buffers of the kernel take some megabytes before anything waits in the server.
    const sent = [...channels, ...channels, ...channels].map(channel => writer.request({ type: 'send_message', channel, message: MESSAGE }))
    await Promise.all(sent)
    const bytes = await measure(server, 'parley_outbound_waiting_bytes')
    if (bytes > 1.25 * total) t.fail(`${bytes} bytes are held`)
  }
  await control(t, 'beside stalled readers')
  t.ok(writer.socket.readyState === writer.socket.OPEN)
  for (const one of stalled) one.socket.resume()
})

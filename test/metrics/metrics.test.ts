import { openMetricsServer } from '../../src/metrics/server.ts'
import { eventually } from '../eventually.ts'
import { failure, redis, startServer, type ConfigChange, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { connectRaw, frame, handshake, opcode, openSocket } from '../websocket/raw.ts'
import { parseMetrics, type Scrape } from './scrape.ts'

const token = 'the-token-of-the-metrics'
const measured: ConfigChange = { metrics: { token } }

/** A server that no test counts everything of. */
const shared = await startServer(t, { config: measured })

async function scrape ({ origin }: Pick<Server, 'origin'>): Promise<Scrape> {
  const response = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  if (response.status !== 200) throw new Error(`${response.status}`)
  return parseMetrics(await response.text())
}

t.test('without port and token there is no /metrics, and nothing is collected', async t => {
  const server = await startServer(t)
  t.equal((await server.call('GET', '/metrics')).status, 404)
  t.equal(server.app.metrics, undefined)
})

t.test('/metrics requires the token if there is one, and refuses in the format of all errors', async t => {
  const { type: _, ...missing } = failure('not_authenticated')
  t.match(await shared.call('GET', '/metrics'), { status: 401, body: { statusCode: 401, error: 'Unauthorized', ...missing } })
  for (const wrong of ['x', `${token}x`, token.slice(1), (await shared.register('ann')).access_token]) {
    t.match(await shared.call('GET', '/metrics', { token: wrong }), { status: 401, body: { code: 'authentication_failed' } })
  }
  t.equal((await shared.call('GET', `/metrics?token=${token}`)).status, 401)
  t.ok((await scrape(shared)).samples.length > 100)
  t.notOk(JSON.stringify((await shared.call('GET', '/openapi.json')).body).includes('/metrics'))
})

t.test('with a metrics port /metrics exists only there, and requires the token there too if there is one', async t => {
  const server = await startServer(t, { config: { metrics: { token, port: 0 } } })
  t.equal((await server.call('GET', '/metrics', { token })).status, 404)
  const text = (): Promise<string> => server.app.metrics!.metrics()
  for (const [wanted, given, status] of [[undefined, undefined, 200], [token, token, 200], [token, undefined, 401], [token, 'x', 401]]) {
    const { port, close } = await openMetricsServer({
      text, host: '127.0.0.1', port: 0, token: wanted as string | undefined, logger: server.app.log as never
    })
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: given ? { authorization: `Bearer ${given}` } : {} })
    t.equal(response.status, status)
    if (status === 200) t.equal(parseMetrics(await response.text()).value('parley_connections'), 0)
    t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404)
    await close()
  }
})

t.test('connections, frames and errors are counted', async t => {
  const server = await startServer(t, { config: measured })
  const ann = await server.enter('ann', 'general', 'lobby')
  const ben = await server.enter('ben', 'general')
  const idle = await server.connect()
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
  const before = await scrape(server)
  t.equal(before.value('parley_connections'), 3)
  t.equal(before.value('parley_connections_max'), 10_000)
  t.equal(before.value('parley_connections_opened_total'), 3)
  t.equal(before.value('parley_sessions', { state: 'authenticated' }), 2)
  t.equal(before.value('parley_sessions', { state: 'open' }), 1)
  t.equal(before.value('parley_subscriptions'), 3)
  t.equal(before.value('parley_channels'), 2)
  t.equal(before.value('parley_presence_users'), 3)

  for (let i = 0; i < 5; i++) await ann.request({ type: 'send_message', channel: 'general', message: `number ${i}` })
  await ben.request({ type: 'command', command: 'create_channel', name: 'made' })
  const id = (await ben.request({ type: 'send_message', channel: 'general', message: 'mine' })).data.id
  await ben.request({ command: 'delete_message', channel: 'general', id })
  for (const wrong of ['{', '[]', { type: '__proto__' }, { command: 'constructor' }]) ben.send(wrong)
  ben.send({ type: 'send_message', channel: 'general' })
  ben.send({ type: 'send_message', channel: 'lobby', message: 'x' })
  await ben.settle()
  await ann.settle()
  const after = await scrape(server)
  const rise = (name: string, labels?: Record<string, string>): number => after.value(name, labels) - before.value(name, labels)

  const received = { send_message: 8, create_channel: 1, delete_message: 1, heartbeat: 2, invalid: 2, unknown: 2, join_channel: 0 }
  for (const [type, count] of Object.entries(received)) t.equal(rise('parley_frames_received_total', { type }), count, type)
  t.equal(after.value('parley_frames_received_total', { type: 'join_channel' }), 3)
  const sent = { success: 8, error: 6, entry: 7 * 2, heartbeat_ack: 2, notice: 0, welcome: 0 }
  for (const [type, count] of Object.entries(sent)) t.equal(rise('parley_frames_sent_total', { type }), count, type)
  t.equal(after.value('parley_frames_sent_total', { type: 'notice' }), 1 + 1 + 2, 'each join sends user_joined to all subscribers')
  const errors = { invalid_json: 1, invalid_frame: 1, unknown_type: 1, unknown_command: 1, message_required: 1, not_in_channel: 1 }
  for (const [code, count] of Object.entries(errors)) t.equal(after.value('parley_errors_total', { code }), count, code)
  t.ok(rise('parley_received_bytes_total') > 500)
  t.ok(rise('parley_sent_bytes_total') > 2000)

  await ann.close()
  await idle.close()
  const later = await eventually(async () => {
    const found = await scrape(server)
    return found.value('parley_connections') === 1 && found
  })
  t.equal(later.value('parley_closes_total', { code: '1005' }), 2)
  t.equal(later.value('parley_subscriptions'), 1)
  for (const name of ['parley_received_bytes_total', 'parley_sent_bytes_total']) t.ok(later.value(name) >= after.value(name), name)
})

t.test('commit and delivery times are measured once per batch and channel', async t => {
  const server = await startServer(t, { config: measured })
  const ann = await server.enter('ann', 'general', 'lobby')
  const ben = await server.enter('ben', 'general')
  for (let i = 0; i < 3; i++) await ann.request({ type: 'send_message', channel: 'general', message: 'alone' })
  for (let i = 0; i < 40; i++) ann.send({ type: 'send_message', channel: i % 2 ? 'general' : 'lobby', message: `${i}` })
  for (let i = 0; i < 23; i++) await ben.expect('message')
  await ann.settle()
  const found = await scrape(server)
  const batches = found.value('parley_batch_messages_count')
  t.equal(found.value('parley_batch_messages_sum'), 43)
  t.ok(batches >= 4 && batches < 43, `${batches} batches`)
  t.equal(found.value('parley_batch_messages_bucket', { le: '500' }), batches)
  t.ok(found.value('parley_batch_messages_bucket', { le: '1' }) >= 3)
  t.equal(found.value('parley_commit_seconds_count'), batches)
  const runs = found.value('parley_delivery_seconds_count')
  t.ok(runs > batches && runs <= 2 * batches, `${runs} runs`)
  t.equal(found.value('parley_delivery_seconds_bucket', { le: '+Inf' }), runs)
  const mean = found.value('parley_delivery_seconds_sum') / runs
  t.ok(mean > found.value('parley_commit_seconds_sum') / batches / 2 && mean < 5, `${mean} s`)
  t.equal(found.value('parley_publish_queue_messages'), 0)
  t.equal(found.value('parley_publish_queue_age_seconds'), 0)
  t.equal(found.value('parley_bus_connected'), 1)
  t.equal(found.value('parley_database_connections_max'), 10)
  t.ok(found.value('parley_database_connections', { state: 'idle' }) + found.value('parley_database_connections', { state: 'used' }) <= 10)
})

t.test('[P33] the metrics show gaps that were found and repaired after the bus lost messages', async t => {
  const config = { ...measured, redis: redis() }
  const lossy = { on: false }
  const one = await startServer(t, {
    config,
    wrapBroker: broker => ({
      ...broker,
      get connected () { return broker.connected },
      get dropped () { return broker.dropped },
      publish (topic, event, scope) { if (!lossy.on || event.kind !== 'entries') broker.publish(topic, event, scope) }
    })
  })
  const two = await startServer(t, { config, databaseUrl: one.databaseUrl })
  const ann = await one.enter('ann', 'general')
  const ben = await two.enter('ben', 'general')
  lossy.on = true
  await ann.request({ type: 'send_message', channel: 'general', message: 'lost on the way' })
  await ben.expect('message')
  const found = await scrape(two)
  t.equal(found.value('parley_gaps_found_total'), 1)
  t.equal(found.value('parley_gaps_repaired_total'), 1)
  t.equal(found.value('parley_frames_sent_total', { type: 'entry' }), 1)
  t.equal(found.value('parley_delivery_seconds_count'), 0, 'the delivery time of a message from another instance cannot be measured')
})

t.test('refused upgrades and close codes are counted with few labels, whatever clients do', async t => {
  const server = await startServer(t, { config: measured })
  for (const [header, value, status] of [['Origin', 'http://elsewhere.example', 403], ['Sec-WebSocket-Protocol', 'mqtt', 400]] as const) {
    t.match(await openSocket(t, server.port, handshake({ [header]: value })).answered(), { status })
  }
  const ends: Array<[Buffer, string]> = [
    [frame(opcode.text, Buffer.from([0xff])), '1007'],
    [frame(opcode.text, '{}', { rsv: 4 }), '1002'],
    [frame(opcode.text, '', { declared: 70_000n }), '1009'],
    [frame(opcode.binary, 'x'), '1003'],
    [frame(opcode.close, Buffer.from([0x03, 0xe8])), '1000'],
    // 3456 and 4503, a code that only the server sends.
    [frame(opcode.close, Buffer.from([0x0d, 0x80])), 'other'],
    [frame(opcode.close, Buffer.from([0x11, 0x97])), 'other']
  ]
  for (const [bytes] of ends) {
    const raw = await connectRaw(t, server.port, bytes)
    await raw.closed()
    raw.socket.destroy()
  }
  const found = await eventually(async () => {
    const found = await scrape(server)
    return found.value('parley_connections') === 0 && found.value('parley_connections_opened_total') === ends.length && found
  })
  const counts: Record<string, number> = {}
  for (const [, code] of ends) counts[code] = (counts[code] ?? 0) + 1
  const shown = found.samples.filter(({ name, value }) => name === 'parley_closes_total' && value > 0)
  t.same(Object.fromEntries(shown.map(({ labels, value }) => [labels.code, value])), counts)
  t.equal(found.value('parley_upgrades_refused_total', { reason: 'not_authorized' }), 1)
  t.equal(found.value('parley_upgrades_refused_total', { reason: 'invalid_request' }), 1)
  t.equal(found.value('parley_origins_refused_total'), 1)
})

t.test('HTTP requests are counted by route pattern, method and status, not by URL', async t => {
  const ann = await shared.enter('ann', 'general')
  const token = ann.person.access_token
  for (const name of ['general', 'nowhere', 'nothing']) await shared.call('GET', `/api/channels/${name}`, { token })
  await shared.call('POST', '/api/auth/login', { body: { email: 'nobody@example.org', password: 'not the right one' } })
  for (const path of ['/one', '/two?x=1', '/%zz']) await shared.call('GET', path)
  const found = await scrape(shared)
  const count = (route: string, method: string, status: string): number =>
    found.value('parley_http_request_seconds_count', { route, method, status })
  t.equal(count('/api/channels/:name', 'GET', '200'), 1)
  t.equal(count('/api/channels/:name', 'GET', '404'), 2)
  t.equal(count('/api/auth/login', 'POST', '401'), 1)
  t.equal(count('unknown', 'GET', '404'), 2)
})

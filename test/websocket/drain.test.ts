import pg from 'pg'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { countLockWaiters } from '../lock-waiters.ts'
import { t } from '../tap.ts'
import { connectRaw, handshake, openSocket } from './raw.ts'

t.test('[G10] a server that drains acks every message that it has accepted and tells every client when to come back', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const others = await Promise.all(Array.from({ length: 20 }, () => server.connect()))
  for (let i = 0; i < 50; i++) ann.send({ type: 'send_message', channel: 'general', message: `${i}`, ref: i })
  await ann.expect(({ ref }) => ref === 0)
  const closing = server.close()
  const ends = await Promise.all([ann, ...others].map(client => client.closed()))
  await closing
  t.ok(ends.every(({ code, reason }) => code === 1012 && /^service restart retry_after_ms=\d+$/.test(reason)))
  t.ok(new Set(ends.map(({ reason }) => reason)).size > 10, 'clients come back at different times')
  const acked = ann.inbox.filter(({ action }) => action === 'message_sent').map(({ data }) => data.seq)
  const again = await startServer(t, { databaseUrl: server.databaseUrl })
  const { body } = await again.call('GET', '/api/channels/general/messages?limit=100', { token: ann.person.access_token })
  const stored = body.messages.map(({ seq }: { seq: number }) => seq)
  t.same(acked.filter(seq => !stored.includes(seq)), [], 'no acked message is lost')
})

t.test('[G10] [P26] a message that is being committed when the drain begins is acked before the close frame', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const holder = new pg.Client(server.databaseUrl)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('SELECT FROM "Channel" FOR UPDATE')
  ann.send({ type: 'send_message', channel: 'general', message: 'the last' })
  await eventually(async () => await countLockWaiters(holder) > 0)
  const closing = server.close()
  await holder.query('COMMIT')
  await ann.closed()
  await closing
  t.match(ann.inbox.find(({ action }) => action === 'message_sent'), { data: { seq: 1 } })
})

t.test('[G10] a client that does not answer the close frame delays the end by some seconds at most', async t => {
  const server = await startServer(t, { config: { server: { drain_timeout: 300 } } })
  const client = await connectRaw(t, server.port)
  const idle = openSocket(t, server.port, '')
  // The default deadline of a test is shorter than drain_timeout.
  await server.close()
  t.equal((await client.closed()).code, 1012)
  await idle.ended()
  const late = openSocket(t, server.port, handshake())
  await late.ended()
  t.equal(late.received(), '')
})

t.test('[G10] a short drain_timeout is kept; until the end HTTP requests are answered and upgrades are refused', async t => {
  const server = await startServer(t, { config: { server: { drain_timeout: 4 } } })
  const { call } = server
  // This client does not answer the close frame, so the drain has to wait for it.
  const deaf = await connectRaw(t, server.port)
  const closing = server.close()
  const upgrade = openSocket(t, server.port, handshake())
  const [readiness, health, { status, headers }, { status: refusal, head }] = await Promise.all([
    call('GET', '/readyz'), call('GET', '/healthz'), call('GET', '/openapi.json'), upgrade.answered()
  ])
  t.match(readiness, { status: 503, body: { status: 'draining', database: 'unknown', bus: 'up' } })
  t.match(health, { status: 200, body: { status: 'ok' } })
  t.equal(status, 200)
  t.equal(headers.get('connection'), 'close', 'a load balancer sends the next request elsewhere')
  t.equal(refusal, 503)
  t.match(head, /^retry-after: \d+\r$/im)
  await upgrade.ended()
  t.match(upgrade.received(), /"code":"busy"/)
  t.equal((await deaf.closed()).code, 1012)
  await closing
})

t.test('[G10] a request that is under way when the drain begins is answered', async t => {
  const server = await startServer(t)
  const body = JSON.stringify({ email: 'nobody@example.org', password: 'of nobody' })
  const slow = openSocket(t, server.port, [
    'POST /api/auth/login HTTP/1.1', 'Host: 127.0.0.1', 'Content-Type: application/json', `Content-Length: ${body.length}`,
    'Expect: 100-continue', '', ''
  ].join('\r\n'))
  await eventually(() => slow.received().startsWith('HTTP/1.1 100 '))
  const closing = server.close()
  slow.socket.write(body)
  await slow.ended()
  t.match(slow.received(), /HTTP\/1\.1 401 .*"code":"authentication_failed"/s)
  await closing
})

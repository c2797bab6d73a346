import t from 'tap'
import { startServer } from '../helper.ts'
import { connectRaw, handshake, openSocket } from './raw.ts'

t.test('[G10] a server that ends acks what it has taken and tells every client when to come back', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const others = await Promise.all(Array.from({ length: 20 }, () => server.connect()))
  for (let i = 0; i < 50; i++) ann.send({ type: 'send_message', channel: 'general', message: `${i}`, ref: i })
  await ann.expect(({ ref }) => ref === 0)
  const closing = server.close()
  const ends = await Promise.all([ann, ...others].map(client => client.closed()))
  await closing
  t.ok(ends.every(({ code, reason }) => code === 1012 && /^service restart retry_after_ms=\d+$/.test(reason)))
  t.ok(new Set(ends.map(({ reason }) => reason)).size > 10, 'not all at once')
  const acked = ann.inbox.filter(({ action }) => action === 'message_sent').map(({ data }) => data.seq)
  const again = await startServer(t, { databaseUrl: server.databaseUrl })
  const { body } = await again.call('GET', '/api/channels/general/messages?limit=100', { token: ann.person.access_token })
  const stored = body.messages.map(({ seq }: { seq: number }) => seq)
  t.same(acked.filter(seq => !stored.includes(seq)), [], 'nothing acked is lost')
})

t.test('[G10] a client that answers no close frame holds up the end for some seconds at most', async t => {
  const server = await startServer(t)
  const client = await connectRaw(t, server.port)
  const idle = openSocket(t, server.port, '')
  const began = performance.now()
  await server.close()
  t.ok(performance.now() - began < 9000)
  t.equal((await client.closed()).code, 1012)
  await idle.ended()
  const late = openSocket(t, server.port, handshake())
  await late.ended()
  t.equal(late.received(), '')
})

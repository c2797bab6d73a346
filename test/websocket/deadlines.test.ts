import { setTimeout } from 'node:timers/promises'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, opcode, text } from './raw.ts'

t.test('[P11] [P12] a connection that is not authenticated in time closes with 4500, whatever frames it sends', async t => {
  const server = await startServer(t, { config: { authentication: { timeout: 3 } } })
  const control = await createControl(server)
  const [silent, failing] = [await server.connect(), await server.connect()]
  t.match(await failing.exchange({ type: 'authenticate', token: 'wrong' }), { code: 'authentication_failed' })
  t.match(await failing.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack' })
  for (const client of [silent, failing]) t.same(await client.closed(), { code: 4500, reason: 'authentication timeout' })
  await control(t, 'after the deadline of others')
})

t.test('a connection that sends no frame for connection_timeout closes with 4402; heartbeats count, and pongs do not', async t => {
  const server = await startServer(t, { config: { performance: { connection_timeout: 4, heartbeat_interval: 1 } } })
  const busy = await server.enter('busy', 'general')
  const idle = await server.enter('idle', 'general')
  let pings = 0
  idle.socket.on('ping', () => { pings++ })
  let open = true
  const closed = idle.closed().finally(() => { open = false })
  while (open) {
    await busy.settle()
    await setTimeout(100)
  }
  t.same(await closed, { code: 4402, reason: 'connection timeout' })
  t.ok(pings > 0)
  t.equal((await busy.expect('user_left')).username, 'idle')
})

t.test('[G7] a client that does not answer a ping is closed with 4403, and a client that does stays connected', async t => {
  const server = await startServer(t, { config: { performance: { heartbeat_interval: 1, pong_timeout: 3 } } })
  const ann = await server.enter('ann', 'general')
  const frozen = await server.register('frozen')
  const client = await connectRaw(t, server.port, Buffer.concat([
    text({ type: 'authenticate', token: frozen.access_token, ref: 1 }), text({ type: 'join_channel', channel: 'general', ref: 2 })
  ]))
  await client.replies(2)
  t.same(await client.closed(), { code: 4403, reason: 'no pong' })
  t.ok(client.frames.some(({ code }) => code === opcode.ping))
  await client.ended()
  t.equal((await ann.expect('user_left')).username, 'frozen')
  await ann.settle()
})

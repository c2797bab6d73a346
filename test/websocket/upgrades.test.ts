import pg from 'pg'
import { startProcess } from '../faults/process.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer, type Scope, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { lasting, odd, plain, taken, withMethod } from './odd-requests.ts'
import { handshake, openSocket } from './raw.ts'

/** Locks the table of channels, so that `GET /api/channels` waits until `release` is called. */
async function holdChannels (t: Scope, { databaseUrl }: Server) {
  const holder = new pg.Client(databaseUrl)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE "Channel"')
  return { release: () => holder.query('COMMIT') }
}

const list = (token: string): string => `GET /api/channels HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`

t.test('[P54] a connection that asks for an upgrade and gets none is ended, even if its client never closes it', async t => {
  const server = await startServer(t)
  // The server waits this long for a body that does not come.
  server.app.server.requestTimeout = server.app.server.headersTimeout = 1000
  const control = await createControl(server)
  for (const [what, bytes] of odd) {
    const socket = openSocket(t, server.port, bytes)
    await t.resolves(socket.ended(), what)
    await control(t, what)
  }
})

t.test('[P54] connections that the client has half-closed or reset are ended too, whether they get an upgrade or not', async t => {
  const server = await startServer(t)
  const control = await createControl(server)
  const sockets = [...odd, ...taken].map(([, bytes]) => openSocket(t, server.port, bytes))
  for (const [i, { socket }] of sockets.entries()) i % 4 === 0 ? socket.resetAndDestroy() : socket.end()
  for (const [i, socket] of sockets.entries()) await t.resolves(socket.ended(), [...odd, ...taken][i]![0])
  await control(t, 'after half-closed connections')
  await eventually(() => server.app.upgrades.size === 0)
})

t.test('[P54] an upgrade behind other requests is handled when they are answered', async t => {
  const server = await startServer(t)
  const { access_token: token } = await server.register('ann')
  const held = await holdChannels(t, server)
  const socket = openSocket(t, server.port, list(token) + plain + handshake())
  await eventually(() => server.app.upgrades.size === 1)
  t.equal(socket.received(), '')
  await held.release()
  await eventually(() => socket.received().includes('"welcome"'))
  t.match(socket.received(), /^HTTP\/1\.1 200 .*"channels".*HTTP\/1\.1 200 .*"ok".*HTTP\/1\.1 101 .*"type":"welcome"/s)
  t.equal(server.app.upgrades.size, 0)
})

t.test('[P54] an upgrade that waits behind an unanswered request is ended after the time that every request has', async t => {
  const server = await startServer(t)
  server.app.server.headersTimeout = 200
  const { access_token: token } = await server.register('ann')
  await holdChannels(t, server)
  for (const upgrade of [handshake(), withMethod('HEAD'), handshake({ Upgrade: 'h2c' })]) {
    const socket = openSocket(t, server.port, list(token) + upgrade)
    await socket.ended(3000)
    t.equal(socket.received(), '')
  }
  t.equal(server.app.upgrades.size, 0)
})

t.test('[P54] [P5] waiting upgrades count towards max_connections and towards the limit of their address', async t => {
  for (const [config, status] of [[{ server: { max_connections: 3 } }, 503], [{ limits: { address_connections: 3 } }, 429]] as const) {
    const server = await startServer(t, { config })
    const { access_token: token } = await server.register('ann')
    const held = await holdChannels(t, server)
    const sockets = Array.from({ length: 3 }, () => openSocket(t, server.port, list(token) + handshake()))
    await eventually(() => server.app.upgrades.size === 3)
    t.equal((await openSocket(t, server.port, handshake()).answered()).status, status)
    await held.release()
    for (const { received } of sockets) await eventually(() => received().includes('"welcome"'))
    for (const { socket } of sockets) socket.destroy()
    await eventually(async () => (await openSocket(t, server.port, handshake()).answered()).status === 101)
  }
})

t.test('[P54] [G10] SIGTERM ends a server although connections are open that nothing else ends', async t => {
  // If the server waited for these connections, it would take longer than the test may.
  const env = { DATABASE_URL: await createDatabase(t), SERVER_DRAIN_TIMEOUT: '300' }
  const server = await startProcess(t, { env })
  const kinds = [...odd, ...taken, ...lasting]
  const sockets = kinds.flatMap(([, bytes]) => [openSocket(t, server.port, bytes), openSocket(t, server.port, bytes)])
  await Promise.all(sockets.map(({ ended, received }) => Promise.race([ended(), eventually(() => received() !== '')])))
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
})

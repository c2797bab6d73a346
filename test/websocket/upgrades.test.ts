import pg from 'pg'
import { startProcess } from '../faults/process.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer, type Scope, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { handshake, openSocket } from './raw.ts'

const plain = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'
const withMethod = (method: string, path?: string): string => handshake({}, path).replace('GET', method)

/** Unusual requests, most of them upgrades, that do not open a WebSocket connection. */
const odd: Array<[what: string, bytes: string]> = [
  ['HEAD /websocket', withMethod('HEAD')],
  ['HEAD of another path', withMethod('HEAD', '/healthz')],
  ['HEAD of an invalid path', withMethod('HEAD', '/%zz')],
  ['OPTIONS /websocket', withMethod('OPTIONS')],
  ['DELETE /websocket', withMethod('DELETE')],
  ['POST /websocket without its body', handshake({ 'Content-Length': '10' }).replace('GET', 'POST')],
  ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n'],
  ['CONNECT with an upgrade', withMethod('CONNECT', 'example.org:443')],
  ['an upgrade to a page', handshake({}, '/healthz')],
  ['an invalid path', handshake({}, '/%zz')],
  ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0')],
  ['no key', handshake({ 'Sec-WebSocket-Key': undefined })],
  ['version 7', handshake({ 'Sec-WebSocket-Version': '7' })],
  ['a foreign Origin', handshake({ Origin: 'https://evil.example' })],
  ['HEAD behind HEAD', withMethod('HEAD') + withMethod('HEAD')],
  ['a refused upgrade behind a request', plain + handshake({}, '/nowhere')],
  ['HEAD behind a request', plain + withMethod('HEAD')],
  ['HEAD behind three requests', plain + plain + plain + withMethod('HEAD')],
  ['CONNECT behind a request', plain + withMethod('CONNECT', 'example.org:443')],
  ['an upgrade behind a refused upgrade', handshake({}, '/nowhere') + handshake()],
  ['an upgrade behind HEAD', withMethod('HEAD') + handshake()],
  ['h2c behind a refused upgrade', handshake({}, '/nowhere') + handshake({ Upgrade: 'h2c' })]
]

/** Requests that may open WebSocket connections, which have deadlines of their own. */
const taken: Array<[what: string, bytes: string]> = [
  ['an upgrade', handshake()],
  ['an upgrade behind a request', plain + handshake()],
  ['an upgrade behind three requests', plain + plain + plain + handshake()],
  ['an upgrade behind an ignored one', handshake({ Upgrade: 'h2c' }, '/healthz') + handshake()],
  ['an upgrade behind an upgrade', handshake() + handshake()]
]

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

t.test('[P54] [G10] SIGTERM ends a server in seconds, whatever connections are open', async t => {
  const DATABASE_URL = await createDatabase(t)
  const server = await startProcess(t, { env: { DATABASE_URL, SERVER_DRAIN_TIMEOUT: '60' } })
  const kinds = [...odd, ...taken]
  const sockets = kinds.flatMap(([, bytes]) => [openSocket(t, server.port, bytes), openSocket(t, server.port, bytes)])
  await Promise.all(sockets.map(({ ended, received }) => Promise.race([ended(), eventually(() => received() !== '')])))
  const began = performance.now()
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
  // The end takes three seconds on an idle machine, and would take 54 if the server waited for these sockets.
  t.ok(performance.now() - began < 10_000)
})

/** Milliseconds in which an idle server has to end while any of the connections below are open. */
const ENDED_WITHIN_MS = 3000
/** A request whose client waits for `100 Continue` and then never sends the body. */
const expectant = handshake({ Upgrade: 'h2c', 'Content-Length': '10', Expect: '100-continue' }, '/api/auth/login').replace('GET', 'POST')

for (const [what, bytes] of [
  ['HEAD /websocket', withMethod('HEAD')],
  ['an upgrade behind a request in the same segment', plain + handshake()],
  ['HEAD /websocket behind a request in the same segment', plain + withMethod('HEAD')],
  ['an upgrade behind an upgrade in the same segment', handshake() + handshake()],
  ['an upgrade behind a refused upgrade in the same segment', handshake({}, '/nowhere') + handshake()],
  ['an upgrade to h2c whose body does not come', expectant],
  ['a WebSocket connection whose client answers nothing', handshake()]
] as const) {
  t.test(`[P54] [G10] SIGTERM ends an idle server within 3 s: ${what}`, async t => {
    const server = await startProcess(t, { env: { DATABASE_URL: await createDatabase(t), SERVER_DRAIN_TIMEOUT: '60' } })
    const sockets = Array.from({ length: 20 }, () => openSocket(t, server.port, bytes))
    await Promise.all(sockets.map(({ received }) => eventually(() => received() !== '')))
    const began = performance.now()
    server.signal('SIGTERM')
    t.same(await server.exited, { code: 0, signal: null })
    const took = Math.round(performance.now() - began)
    t.ok(took < ENDED_WITHIN_MS, `${took} ms`)
  })
}

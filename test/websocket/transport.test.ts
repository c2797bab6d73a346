import { once } from 'node:events'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, handshake, openSocket, text } from './raw.ts'

// Tests that need no settings of their own share this server.
const server = await startServer(t)

t.test('[P2] a client that offers no subprotocol or parley.v1 is accepted, and a client that offers only others is refused', async t => {
  for (const offered of [undefined, 'parley.v1', 'chat, parley.v1', 'parley.v1, parley.v2']) {
    const { status, head } = await openSocket(t, server.port, handshake({ 'Sec-WebSocket-Protocol': offered })).answered()
    t.equal(status, 101, `${offered}`)
    t.equal(/^sec-websocket-protocol: (.*)\r$/im.exec(head)?.[1], offered && 'parley.v1')
  }
  for (const offered of ['chat', 'parley.v2, chat', 'PARLEY.V1', 'parley.v']) {
    t.equal((await openSocket(t, server.port, handshake({ 'Sec-WebSocket-Protocol': offered })).answered()).status, 400, offered)
  }
})

t.test('[P3] requests without Origin, with that of the host or with an allowed one are accepted, and all others are refused', async t => {
  const own = await startServer(t, { config: { server: { allowed_origins: 'https://Chat.example.org, http://localhost:3000' } } })
  const control = await createControl(own)
  const status = async (origin: string | undefined, host = 'parley.example.org:8443'): Promise<number> =>
    (await openSocket(t, own.port, handshake({ Origin: origin, Host: host })).answered()).status
  for (const origin of [undefined, 'https://parley.example.org:8443', 'http://PARLEY.example.org:8443', 'https://chat.example.org', 'http://localhost:3000']) {
    t.equal(await status(origin), 101, `${origin}`)
  }
  t.equal(await status('https://parley.example.org', 'parley.example.org'), 101)
  // Origin and Host may each have the default port or leave it out.
  for (const [origin, host] of [
    ['https://parley.example.org', 'parley.example.org:443'], ['https://parley.example.org:443', 'Parley.example.org'],
    ['http://parley.example.org:80', 'parley.example.org'], ['http://parley.example.org', 'parley.example.org:80'],
    ['https://chat.example.org:443', 'x.example'], ['HTTPS://CHAT.example.org', 'x.example'], ['http://[::1]', '[::1]:80']
  ] as const) t.equal(await status(origin, host), 101, `${origin} at ${host}`)
  for (const [origin, host] of [
    ['http://parley.example.org', 'parley.example.org:443'], ['https://parley.example.org:80', 'parley.example.org'],
    ['https://chat.example.org:80', 'x.example'], ['https://evil.example', 'evil.example/parley.example.org'], ['https://evil.example', 'x@evil.example']
  ] as const) t.equal(await status(origin, host), 403, `${origin} at ${host}`)
  for (const origin of [
    'https://parley.example.org', 'https://evil.example', 'http://chat.example.org', 'https://chat.example.org.evil.example', 'http://localhost:3001',
    'https://parley.example.org:8443.evil.example', 'https://evil.example/parley.example.org:8443', 'https://sub.parley.example.org:8443', 'null', '*', 'nonsense', ''
  ]) {
    t.equal(await status(origin), 403, `"${origin}"`)
  }
  await control(t, 'after foreign origins')
})

t.test('[P3] a wildcard allows the subdomains of a host, of any depth, but not the host itself, other schemes or ports', async t => {
  const list = 'https://*.example.org, http://*.dev.example:8080/, HTTPS://Müller.example, https://*.Größe.example:443'
  const own = await startServer(t, { config: { server: { allowed_origins: list } } })
  const status = async (origin: string): Promise<number> =>
    (await openSocket(t, own.port, handshake({ Origin: origin })).answered()).status
  for (const origin of [
    'https://a.example.org', 'https://A.b.c.EXAMPLE.org:443', 'http://x.dev.example:8080', 'https://xn--mller-kva.example',
    'https://a.xn--gre-6ka8i.example'
  ]) t.equal(await status(origin), 101, origin)
  for (const origin of [
    'https://example.org', 'https://.example.org', 'http://abc.example.org', 'https://a.example.org:8443', 'https://evilexample.org',
    'https://example.org.evil.example', 'https://a.example.org.evil.example', 'https://evil.example/.example.org', 'http://x.dev.example',
    'https://evil.example#.example.org', 'https://evil.example?.example.org', 'https://evil.example\\.example.org',
    'https://evil.example@x.example.org', 'https://a.xn--mller-kva.example', 'https://*.example.org', '*'
  ]) t.equal(await status(origin), 403, origin)
})

t.test('[P3] ALLOWED_ORIGINS=* allows any Origin', async t => {
  const own = await startServer(t, { config: { server: { allowed_origins: '*' } } })
  t.equal((await openSocket(t, own.port, handshake({ Origin: 'https://evil.example' })).answered()).status, 101)
})

t.test('requests that are not an upgrade to /websocket are answered over HTTP and ended, and affect no other connection [G8]', async t => {
  const control = await createControl(server)
  const cases: Array<[what: string, request: string, status: number]> = [
    ['another path', handshake({}, '/websocket/'), 404],
    ['a path below', handshake({}, '/websocket/general'), 404],
    ['the root, a page', handshake({}, '/'), 200],
    ['a REST path', handshake({}, '/api/channels'), 401],
    ['a page', handshake({}, '/healthz'), 200],
    ['an invalid path', handshake({}, '/%zz'), 400],
    ['version 7', handshake({ 'Sec-WebSocket-Version': '7' }), 400],
    ['no version', handshake({ 'Sec-WebSocket-Version': undefined }), 400],
    ['no key', handshake({ 'Sec-WebSocket-Key': undefined }), 400],
    ['a short key', handshake({ 'Sec-WebSocket-Key': 'short' }), 400],
    ['no upgrade', handshake({ Upgrade: undefined, Connection: 'close' }), 400],
    ['a POST', handshake().replace('GET', 'POST'), 404],
    ['70 kB of headers', handshake({ 'X-Padding': 'x'.repeat(70_000) }), 431],
    ['text that is not HTTP', 'hello?\r\n\r\n', 400]
  ]
  for (const [what, request, status] of cases) {
    const socket = openSocket(t, server.port, request)
    t.equal((await socket.answered()).status, status, what)
    await socket.ended()
    await control(t, what)
  }
})

t.test('a handshake that is spelled unusually opens a connection too', async t => {
  for (const [what, request] of [
    ['a query', handshake({}, '/websocket?a=b')],
    ['an escaped path', handshake({}, '/%77ebsocket')],
    ['capitals', handshake({ Upgrade: 'WebSocket' })],
    ['version 8', handshake({ 'Sec-WebSocket-Version': '8' })],
    ['several subprotocols', handshake({ 'Sec-WebSocket-Protocol': 'chat, parley.v1' })]
  ] as const) {
    const socket = openSocket(t, server.port, request)
    await eventually(() => socket.received().includes('"welcome"'))
    t.match(socket.received(), /^HTTP\/1\.1 101 /, what)
  }
  t.equal(server.app.upgrades.size, 0)
})

t.test('[P5] at max_connections further upgrades get 503 with Retry-After, also many at once, until a connection closes', async t => {
  const own = await startServer(t, { config: { server: { max_connections: 5 } } })
  const sockets = Array.from({ length: 30 }, () => openSocket(t, own.port, handshake()))
  const answers = await Promise.all(sockets.map(socket => socket.answered()))
  t.equal(answers.filter(({ status }) => status === 101).length, 5)
  const refused = answers.filter(({ status }) => status === 503)
  t.equal(refused.length, 25)
  for (const { head } of refused) t.match(head, /^retry-after: [1-9]\d*\r$/im)

  t.equal((await own.call('GET', '/healthz')).status, 200, 'REST is not refused')
  sockets[answers.findIndex(({ status }) => status === 101)]!.socket.destroy()
  await eventually(async () => (await openSocket(t, own.port, handshake()).answered()).status === 101)
})

t.test('a client that resets its connection during or right after the upgrade affects no other connection [G8]', async t => {
  const own = await startServer(t, { config: { server: { max_connections: 5 } } })
  const control = await createControl(own)
  for (let i = 0; i < 30; i++) {
    const { socket } = openSocket(t, own.port, handshake().slice(0, i % 3 === 0 ? 60 : undefined))
    if (i % 3 === 1) await once(socket, 'data')
    else await once(socket, 'connect')
    socket.resetAndDestroy()
  }
  await control(t, 'after 30 resets')
  await eventually(async () => (await openSocket(t, own.port, handshake()).answered()).status === 101)
})

t.test('a client that is slow with its handshake or sends nothing is ended, and affects no other connection [G8]', async t => {
  const own = await startServer(t)
  own.app.server.headersTimeout = 100
  const control = await createControl(own)
  const beginnings = ['', 'GET', handshake().slice(0, 40), handshake().slice(0, -2)]
  const sockets = beginnings.map(bytes => openSocket(t, own.port, bytes))
  for (const [i, slow] of sockets.entries()) {
    await slow.ended(5000)
    t.match(slow.received(), /^(HTTP\/1\.1 408|$)/, `after ${beginnings[i]!.length} bytes`)
  }
  await control(t, 'after slow handshakes')
})

t.test('a token in the URL is ignored and not logged', async t => {
  const { access_token: token } = await server.register('ann')
  const client = await connectRaw(t, server.port, text({ type: 'channel_list', ref: 1 }), `/websocket?token=${token}&access_token=${token}`)
  t.match(await client.replies(1), [{ code: 'not_authenticated' }])
  t.equal((await server.call('GET', `/api/me?token=${token}`)).status, 401)
  await server.call('GET', `/nowhere?token=${token}`)
  t.notOk(server.lines.join().includes(token.slice(-20)))
})

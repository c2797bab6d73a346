import { once } from 'node:events'
import { eventually } from '../eventually.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { openSocket } from './raw.ts'

// All tests but the one that changes timeouts share this server.
const server = await startServer(t)

/** A body that the server has to read before it can refuse the request with `authentication_failed`. */
const body = JSON.stringify({ refresh_token: 'of nobody' })

/** Writes the head of a request, with the headers exactly as they are given. */
const head = (line: string, ...headers: string[]): string => `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers.join('\r\n')}\r\n\r\n`

const post = (...headers: string[]): string => head('POST /api/auth/refresh', 'Content-Type: application/json', ...headers)
const length = `Content-Length: ${body.length}`
/** The headers with which curl and Java ask for HTTP/2. */
const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA']
const chunked = 'Transfer-Encoding: chunked'
const inChunks = [body.slice(0, 9), body.slice(9), ''].map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('')

const count = (text: string, part: string): number => text.split(part).length - 1

/** Sends these parts, each after the server has had time to read the one before, and waits for this number of answers. */
async function exchange (t: Scope, answers: number, ...parts: string[]) {
  const socket = openSocket(t, server.port, parts[0]!)
  for (const part of parts.slice(1)) {
    await server.call('GET', '/healthz')
    socket.socket.write(part)
  }
  await eventually(() => count(socket.received(), 'HTTP/1.1 ') === answers || socket.socket.closed)
  return socket
}

t.test('[P54] a request for an upgrade other than websocket is answered as it is without the upgrade, body included', async t => {
  const cases: Array<[what: string, ...parts: string[]]> = [
    ['Content-Length', post(length, ...h2c) + body],
    ['a late body', post(length, ...h2c), body.slice(0, 5), body.slice(5)],
    ['chunked', post(chunked, ...h2c) + inChunks],
    ['chunked and late', post(chunked, ...h2c), ...inChunks.match(/.{1,20}/gs)!],
    ['lower case', post(length, 'connection: upgrade,http2-settings', 'upgrade: h2c') + body],
    ['upper case', post(length, 'CONNECTION: UPGRADE', 'UPGRADE: H2C') + body],
    ['keep-alive beside it', post(length, 'Connection: keep-alive, Upgrade', 'Upgrade: h2c') + body],
    ['two Connection headers', post(length, 'Connection: keep-alive', 'Connection: Upgrade', 'Upgrade: h2c') + body],
    ['a list', post(length, 'Connection: Upgrade', 'Upgrade: TLS/1.0, h2c') + body],
    ['no Connection header', post(length, 'Upgrade: h2c') + body],
    ['a chunked upgrade to websocket', post(chunked, 'Connection: Upgrade', 'Upgrade: websocket') + inChunks]
  ]
  for (const [what, ...parts] of cases) {
    const { received } = await exchange(t, 1, ...parts)
    t.match(received(), /^HTTP\/1\.1 401 .*"code":"authentication_failed"/s, what)
  }
  t.equal(server.app.upgrades.size, 0)
})

t.test('[P54] Expect: 100-continue is answered, and then the body is read', async t => {
  const socket = openSocket(t, server.port, post(length, 'Expect: 100-continue', ...h2c))
  await eventually(() => socket.received().startsWith('HTTP/1.1 100 Continue\r\n\r\n'))
  socket.socket.write(body)
  await eventually(() => socket.received().includes('"code":"authentication_failed"'))
})

t.test('[P54] the connection stays open for further requests, in the same segment or later, again and again', async t => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const request = post(length, ...h2c) + body
  const page = head('GET /healthz')
  const socket = await exchange(t, 4, request + page + request + page)
  const statuses = (): number[] => [...socket.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
  t.same(statuses(), [401, 200, 401, 200])
  for (let answers = 6; answers <= 60; answers += 2) {
    socket.socket.write(head('GET /healthz', ...h2c) + head('GET /nowhere', ...h2c))
    await eventually(() => statuses().length === answers)
    t.same(statuses().slice(-2), [200, 404])
  }
  t.same(warnings, [])
  socket.socket.end()
  await socket.ended()
})

t.test('[P54] [P2] an Upgrade header with a list that has websocket opens a WebSocket connection', async t => {
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  for (const upgrade of ['websocket, h2c', 'h2c,WebSocket', 'websocket\r\nUpgrade: h2c']) {
    const socket = openSocket(t, server.port, head('GET /websocket', 'Connection: keep-alive, Upgrade', `Upgrade: ${upgrade}`, ...key))
    t.equal((await socket.answered()).status, 101, upgrade)
    await eventually(() => socket.received().includes('"welcome"'))
  }
})

t.test('[P54] a request with an upgrade keeps all its headers unchanged, and malformed requests are still refused', async t => {
  let seen: string[] = []
  server.app.server.on('request', ({ rawHeaders }) => { seen = rawHeaders })
  const unusual = ['X-Name: J\xfcrgen', 'x-twice: 1', 'X-Twice: 2', 'X-Empty:', 'X-Spaces:   a  b  ']
  await exchange(t, 1, head('GET /healthz', ...unusual, ...h2c))
  t.same(seen, [
    'Host', '127.0.0.1', 'X-Name', 'J\xc3\xbcrgen', 'x-twice', '1', 'X-Twice', '2', 'X-Empty', '', 'X-Spaces', 'a  b',
    'Connection', 'HTTP2-Settings', 'Upgrade', 'h2c', 'HTTP2-Settings', h2c[2]!.slice('HTTP2-Settings: '.length)
  ])
  const many = Array.from({ length: 1200 }, (_, i) => `a${i}:`)
  const wrong: Array<[what: string, bytes: string, status: number]> = [
    ['both lengths', post(length, chunked, ...h2c) + body, 400],
    ['two lengths', post(length, 'Content-Length: 3', ...h2c) + body, 400],
    ['a folded line', post('X-Folded: a\r\n Transfer-Encoding: chunked', length, ...h2c) + body, 400],
    ['an unknown encoding', post('Transfer-Encoding: chunked, x', ...h2c) + body, 400],
    ['no Host', `GET /healthz HTTP/1.1\r\n${h2c.join('\r\n')}\r\n\r\n`, 400],
    ['more headers than Node keeps', post(...h2c, ...many, chunked) + inChunks, 431]
  ]
  for (const [what, bytes, status] of wrong) {
    const socket = openSocket(t, server.port, bytes + head('GET /healthz'))
    t.equal((await socket.answered()).status, status, what)
    await socket.ended()
    t.notOk(socket.received().includes('"ok"'), what)
  }
})

t.test('[P54] large bodies, slow bodies and reset connections are handled as they are without the Upgrade header', async t => {
  const own = await startServer(t)
  const large = openSocket(t, own.port, post('Content-Length: 70000', ...h2c) + 'x'.repeat(70_000))
  t.equal((await large.answered()).status, 413)
  own.app.server.requestTimeout = own.app.server.headersTimeout = 200
  const slow = openSocket(t, own.port, post(length, ...h2c) + body.slice(0, 5))
  t.equal((await slow.answered()).status, 408)
  await slow.ended()
  const gone = openSocket(t, own.port, post(length, ...h2c) + body.slice(0, 5))
  await once(gone.socket, 'connect')
  gone.socket.resetAndDestroy()
  t.equal((await own.call('GET', '/healthz')).status, 200)
})

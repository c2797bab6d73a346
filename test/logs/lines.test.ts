import { eventually } from '../eventually.ts'
import { startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { connectRaw, frame, handshake, opcode, openSocket } from '../websocket/raw.ts'

type Line = Record<string, unknown>

const server = await startServer(t, { config: { server: { allowed_origins: 'https://chat.example.org' } } })
/** A server behind a trusted proxy. */
const proxied = await startServer(t, { config: { server: { trust_proxy: 'loopback' } } })
t.beforeEach(() => { for (const { lines } of [server, proxied]) lines.length = 0 })

/** Waits until the log has `count` lines of this test with this text, and returns all of them. */
function linesOf ({ lines }: Server, msg: string, count: number): Promise<Line[]> {
  return eventually(() => {
    const found = lines.map(line => JSON.parse(line)).filter(line => line.msg === msg)
    return found.length >= count && found
  })
}

function boom (): never {
  throw new Error('boom')
}

t.test('a connection leaves one line with its user, address, duration, close code and traffic', async t => {
  const ann = await server.enter('ann', 'general')
  for (let i = 0; i < 3; i++) await ann.request({ type: 'send_message', channel: 'general', message: 'text' })
  await ann.settle()
  ann.socket.close(4000, 'a word of the client')
  const [line] = await linesOf(server, 'connection closed', 1) as [Line]
  t.match(line, { level: 30, connection: /^[0-9a-f-]{36}$/, user: ann.person.user.id, address: '127.0.0.1', code: 4000 })
  t.match(line, { framesReceived: 6, seconds: Number })
  // One welcome, 6 replies, one user_joined and 3 messages.
  t.equal(line.framesSent, 11)
  t.ok(Number(line.bytesReceived) > 600 && Number(line.bytesSent) > 1500, JSON.stringify(line))
  t.notOk('reason' in line)
  t.notMatch(JSON.stringify(line), /ann|word/, 'the line has no name, no email and no text of the client')
})

t.test('the line has the code and reason of the close, even if the client did not answer it', async t => {
  const binary = await connectRaw(t, server.port, frame(opcode.binary, 'x'))
  await binary.closed()
  binary.socket.destroy()
  const large = await connectRaw(t, server.port, frame(opcode.text, '', { declared: 70_000n }))
  await large.closed()
  large.socket.destroy()
  const cut = await connectRaw(t, server.port)
  cut.socket.destroy()
  const lines = await linesOf(server, 'connection closed', 3)
  const ends = lines.map(({ code, reason }) => ({ code, reason })).sort((a, b) => Number(a.code) - Number(b.code))
  t.same(ends, [
    { code: 1003, reason: 'binary not supported' }, { code: 1006, reason: undefined }, { code: 1009, reason: 'message too big' }
  ])
})

t.test('the logged address is the one that a trusted proxy reports', async t => {
  for (const [asked, address] of [[server, '127.0.0.1'], [proxied, '203.0.113.7']] as const) {
    const client = await asked.connect({ headers: { 'x-forwarded-for': '203.0.113.7' } })
    await client.close()
    t.match(await linesOf(asked, 'connection closed', 1), [{ address }])
  }
})

t.test('a request leaves one line with the pattern of its route and the id of its reply', async t => {
  const { access_token: token } = await server.register('ann')
  const ids: string[] = []
  const get = async (path: string, status: number, headers = {}): Promise<void> => {
    const reply = await fetch(server.origin + path, { headers })
    t.equal(reply.status, status, path)
    ids.push(reply.headers.get('x-request-id') ?? '')
  }
  await get('/api/me?x=1', 200, { authorization: `Bearer ${token}` })
  await get('/api/channels/nothing-here', 404, { authorization: `Bearer ${token}` })
  await get('/api/me', 401)
  await get('/nowhere', 404)
  await get('/%zz', 400)
  await get('/docs/', 200)
  const lines = await linesOf(server, 'request', ids.length)
  t.match(lines.map(({ method, route, status }) => `${method} ${route} ${status}`).sort(), [
    'GET /api/channels/:name 404', 'GET /api/me 200', 'GET /api/me 401', 'GET /docs 200', 'GET unknown 400', 'GET unknown 404'
  ])
  t.same(lines.map(({ reqId }) => reqId).sort(), ids.sort())
  t.equal(new Set(ids).size, ids.length)
  for (const line of lines) t.match(line, { level: 30, ms: Number, reqId: /^[0-9a-f-]{36}$/ })
  t.notMatch(JSON.stringify(lines), /nothing-here|x=1|zz/)

  const { head } = await openSocket(t, server.port, handshake({ Origin: 'http://elsewhere.example' })).answered()
  t.match(head, /x-request-id: [0-9a-f-]{36}/i)
  t.match((await linesOf(server, 'request', ids.length + 1)).at(-1), { route: '/websocket', status: 403 })
})

t.test('the line of a request whose origin is not allowed has the origin, cut and escaped, and other lines have none', async t => {
  const foreign = 'https://elsewhere.example'
  t.equal((await openSocket(t, server.port, handshake({ Origin: foreign })).answered()).status, 403)
  await server.call('GET', '/healthz', { headers: { origin: foreign } })
  await server.call('OPTIONS', '/api/me', { headers: { origin: foreign, 'access-control-request-method': 'GET' } })
  await openSocket(t, server.port, handshake({ Origin: `\x9b31m${'x'.repeat(5000)}` })).answered()
  const lines = await linesOf(server, 'request', 4)
  t.same(lines.map(({ refusedOrigin }) => refusedOrigin), [foreign, foreign, foreign, `Â\\u{9b}31m${'x'.repeat(195)}`])

  for (const origin of ['https://chat.example.org', server.origin]) await server.call('GET', '/healthz', { headers: { origin } })
  await server.call('GET', '/healthz')
  for (const line of (await linesOf(server, 'request', 7)).slice(4)) t.notOk('refusedOrigin' in line)
})

t.test('the x-request-id of a request is used only behind a trusted proxy, and only if it is one short word', async t => {
  const idFor = async ({ origin }: Server, given: string): Promise<string | null> =>
    (await fetch(`${origin}/healthz`, { headers: { 'x-request-id': given } })).headers.get('x-request-id')
  t.match(await idFor(server, 'mine'), /^[0-9a-f-]{36}$/)
  t.equal(await idFor(proxied, 'mine'), 'mine')
  for (const wrong of ['x'.repeat(65), 'two words', 'caf\u00e9', '']) t.match(await idFor(proxied, wrong), /^[0-9a-f-]{36}$/, wrong)
})

t.test('[G15] an internal error leaves one line, which names the request, or the connection and the type of its frame', async t => {
  const ann = await server.enter('ann', 'general')
  const { list } = server.presence
  server.presence.list = boom
  const reply = await server.call('GET', '/api/channels/general/online', { token: ann.person.access_token })
  t.equal(reply.status, 500)
  t.equal((await ann.exchange({ type: 'user_list', channel: 'general' })).code, 'internal')
  server.presence.list = list
  const faults = server.lines.map(line => JSON.parse(line)).filter(({ level }) => level >= 50)
  t.equal(faults.length, 2)
  t.match(faults[0], { reqId: reply.headers.get('x-request-id'), err: { message: 'boom', stack: /lines\.test\.ts/ } })
  t.match(faults[1], { type: 'user_list', err: { message: 'boom', stack: /lines\.test\.ts/ } })
  await ann.close()
  t.equal(faults[1].connection, (await linesOf(server, 'connection closed', 1))[0]!.connection)
})

import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { createRedisBroker } from '../../src/broker/redis.ts'
import { createLogger } from '../../src/logger.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createDatabase, redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { connectRaw, frame, handshake, opcode, openSocket, text } from '../websocket/raw.ts'

/** A text that contains this must never be logged. */
const SECRET = 'hush-hush'
const METRICS_TOKEN = `${SECRET}-of-the-metrics`
const credentials = { email: 'ann@example.org', password: `${SECRET} of ann` }

t.test('no token, password or message text is logged at any level, whatever comes in and whatever fails', async t => {
  const server = await startServer(t, { config: { log: { level: 'trace' }, metrics: { token: METRICS_TOKEN }, redis: redis() } })
  const { port, call } = server
  const { body: login } = await call('POST', '/api/auth/register', { body: { ...credentials, name: 'ann' } })
  const token: string = login.access_token
  const secrets = new Set([SECRET, token, login.refresh_token])
  const keep = ({ body }: { body: Record<string, string> }): void => {
    secrets.add(body.access_token!).add(body.refresh_token!)
  }
  /** Makes the database refuse new rows that do not fulfil the condition, with an error that quotes the whole row. */
  const refuse = (table: string, condition: string): Promise<unknown> =>
    server.database.query(`ALTER TABLE "${table}" ADD CONSTRAINT refused CHECK (${condition}) NOT VALID`, [])

  keep(await call('POST', '/api/auth/login', { body: credentials }))
  keep(await call('POST', '/api/auth/refresh', { body: { refresh_token: login.refresh_token } }))
  const { headers: given } = await call('POST', '/api/auth/login', { body: { ...credentials, cookie: true } })
  const [cookie = ''] = given.getSetCookie().map(each => each.split(';')[0]!)
  secrets.add(cookie.split('=')[1]!)
  for (const origin of [server.origin, 'https://elsewhere.example.org']) {
    await call('POST', '/api/auth/refresh', { body: {}, headers: { cookie, origin } })
    await call('POST', '/api/auth/logout', { body: {}, headers: { cookie: `parley_refresh=${SECRET}`, origin } })
  }
  for (const path of ['login', 'register', 'refresh', 'logout', SECRET]) {
    const bodies = [
      `{"password":"${SECRET}`, SECRET, `"${SECRET}"`, `["${SECRET}"]`, `{"__proto__":{},"password":"${SECRET}"}`, { [SECRET]: SECRET },
      { ...credentials, password: `${SECRET}?` }, { refresh_token: SECRET }, { email: SECRET, password: SECRET, name: `${SECRET}\0` },
      { ...credentials, password: SECRET.repeat(10_000) }
    ]
    for (const body of bodies) await call('POST', `/api/auth/${path}`, { body, headers: { 'x-request-id': SECRET } })
    await call('POST', `/api/auth/${path}`, { body: SECRET, headers: { 'content-type': `text/${SECRET}` } })
  }
  for (const path of ['/api/me', '/websocket', '/metrics', '/nowhere', '/%zz', `/${SECRET}`, '/api/channels/general/messages', '/docs']) {
    for (const bearer of ['', token, SECRET]) {
      await fetch(`${server.origin}${path}?token=${token}&x=${SECRET}`, { headers: { authorization: `Bearer ${bearer}` } })
    }
  }
  await call('PATCH', '/api/me', { token, body: { password: `${SECRET} anew`, current_password: SECRET } })
  await call('PATCH', '/api/me', { token, body: { password: `${SECRET} anew`, current_password: credentials.password } })

  const client = await server.connect()
  const frames = [
    '{', `{"token":"${SECRET}`, `["${SECRET}"]`, { type: SECRET }, { type: 'command', command: SECRET },
    { type: 'authenticate', token: SECRET }, { type: 'send_message', channel: 'general', message: SECRET },
    { type: 'authenticate', token, ref: SECRET }, { type: 'join_channel', channel: SECRET.toUpperCase() },
    { type: 'join_channel', channel: 'general', since: SECRET }, { type: 'join_channel', channel: 'general' },
    ...[SECRET, SECRET.repeat(500), { a: SECRET }].map(message => ({ type: 'send_message', channel: 'general', message })),
    { type: 'send_message', channel: 'general', message: SECRET, client_id: SECRET }, { type: 'user_list', channel: 'general' }
  ]
  for (const each of frames) client.send(each)
  await client.expect('user_list')
  const { binary, text: textual, ping } = opcode
  const bad = [text(`{"token":"${SECRET}`), frame(binary, SECRET), frame(textual, SECRET, { rsv: 4 }), frame(ping, SECRET)]
  for (const bytes of bad) {
    const raw = await connectRaw(t, port, bytes)
    raw.write(frame(opcode.close, Buffer.concat([Buffer.from([0x0f, 0xa0]), Buffer.from(SECRET)])))
    await raw.closed()
    raw.socket.destroy()
  }
  const heads = [
    handshake({ Origin: `http://u:${SECRET}@a.example` }), handshake({ Origin: `http://a.example/?token=${SECRET}` }),
    handshake({ 'Sec-WebSocket-Key': SECRET }), handshake({ Authorization: SECRET.repeat(8000) }),
    handshake({}, `/websocket?token=${token}`).replace('\r\n', '\r\nHost\r\n'),
    `GET /?${SECRET} HTTP/9\r\n\r\n`, `${SECRET} / HTTP/1.1\r\n\r\n`, `${SECRET}\r\n\r\n`
  ]
  for (const head of heads) await openSocket(t, port, head).answered()

  const { user } = login
  await server.database.prisma.user.update({ where: { id: user.id }, data: { role: 'admin' } })
  const { body: other } = await call('POST', '/api/auth/register', { body: { ...credentials, email: 'cid@example.org', name: 'cid' } })
  const path = `/api/admin/users/${other.user.id}/reset`
  const { body: again } = await call('POST', '/api/auth/login', { body: { ...credentials, password: `${SECRET} anew` } })
  const { body: { code } } = await call('POST', path, { token: again.access_token })
  secrets.add(code)
  t.match(code, /^[\w-]{27}$/)
  const resets = [{ code, password: 'short' }, { code: SECRET, password: `${SECRET} again` }, { code, password: SECRET, [SECRET]: 1 }]
  for (const body of resets) await call('POST', '/api/auth/reset', { body })
  for (const path of ['forgot', 'verify']) await call('POST', `/api/auth/${path}`, { body: { email: SECRET, code } })
  await refuse('AccountCode', 'false')
  t.match(await call('POST', path, { token: again.access_token }), { status: 500 })

  await refuse('Message', 'false')
  t.match(await client.exchange({ type: 'send_message', channel: 'general', message: `long ${SECRET}` }), { code: 'internal' })
  t.match(await call('POST', '/api/channels/general/messages', { token, body: { message: `long ${SECRET}` } }), { status: 500 })
  await refuse('User', 'false')
  t.match(await call('POST', '/api/auth/register', { body: { ...credentials, email: 'ben@example.org', name: 'ben' } }), { status: 500 })
  await refuse('RefreshToken', 'false')
  t.match(await call('POST', '/api/auth/login', { body: { ...credentials, password: `${SECRET} anew` } }), { status: 500 })
  await client.close()
  await server.close()

  const all = server.lines.join('\n')
  t.ok(server.lines.length > 100, `${server.lines.length} lines`)
  for (const found of secrets) t.notOk(all.includes(found), found.slice(0, 12))
  t.notOk(all.includes(Buffer.from(SECRET).join(',')), 'the secret is not logged as bytes either')
  t.notMatch(all, /argon2id\$|ann@example|ben@example|cid@example/, 'no password hash and no email address is logged')
})

t.test('no password of a database or of Redis is logged or shown', async t => {
  const lines: string[] = []
  const logger = createLogger('trace', { write: (line: string) => { lines.push(line) } })
  const base = new URL(await createDatabase(t))
  const urls = [`postgresql://user:${SECRET}#/%@host`]
  const options = { pool_size: 1, pool_timeout: 1, allow_newer: false, data_dir: 'memory://' }
  for (const change of [{ pathname: `/${randomUUID()}` }, { port: '1' }, { hostname: 'nowhere.invalid' }, { username: 'nobody' }]) {
    const url = Object.assign(new URL(base), { password: SECRET })
    urls.push(String(Object.assign(url, change)))
  }
  for (const url of urls) {
    const error = await openDatabase({ ...options, url }).then(() => { throw new Error('opened') }, (error: unknown) => error)
    logger.fatal({ err: error }, 'start')
  }
  const { url: redisUrl = '', prefix = '' } = redis()
  const url = new URL(redisUrl)
  url.password = SECRET
  const broker = createRedisBroker({ url: url.href, pool_size: 1, pool_timeout: 1, prefix, logger })
  await broker.start({ onEvent () {}, onSubscribed () {}, onConnected () {} })
  await broker.close()
  t.ok(lines.length >= 6)
  t.notOk(lines.join('').includes(SECRET))
})

t.test('only name, text, stack, code and causes of an error are logged', async t => {
  const lines: string[] = []
  const write = (line: string): void => { lines.push(line) }
  const error = Object.assign(new Error('outer', { cause: Object.assign(new TypeError('inner'), { command: { args: [SECRET] } }) }), {
    code: 'E1', detail: SECRET, rawPacket: Buffer.from(SECRET)
  })
  createLogger('info', { write }).error({ err: error }, 'fault')
  const { err } = JSON.parse(lines[0]!)
  t.match(err, { type: 'Error', message: 'outer', stack: /secrets\.test\.ts/, code: 'E1', cause: { type: 'TypeError', message: 'inner' } })
  t.same(Object.keys(err).sort(), ['cause', 'code', 'message', 'stack', 'type'])
  t.notOk(lines[0]!.includes(SECRET))
  pino({}, { write }).error({ err: error })
  t.ok(lines[1]!.includes(SECRET), 'pino itself logs the secret')
})

import { createHmac, randomUUID } from 'node:crypto'
import { commands } from '../../src/requests/table.ts'
import { eventually } from '../eventually.ts'
import { failure, secret, startServer, type Person } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'

// Tests that need no settings of their own share this server.
const server = await startServer(t)

const now = (): number => Math.floor(Date.now() / 1000)
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (text: string, key: string, hash: string): string => createHmac(hash, key).update(text).digest('base64url')

/** Makes a token by hand, as an attacker would. Without options it is signed as the server signs tokens. */
function sign (claims: object, { alg = 'HS256', hash = 'sha256', key = secret } = {}): string {
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${hash ? hmac(text, key, hash) : ''}`
}

function claimsOf ({ access_token: token }: Person): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
}

t.test('[P10] before authentication only authenticate and heartbeat are answered', async t => {
  const client = await server.connect()
  for (const type of ['join_channel', 'leave_channel', 'send_message', 'channel_list', 'user_list']) {
    t.same(await client.exchange({ type }), failure('not_authenticated'), `${type}, before its fields are checked`)
    t.same(await client.exchange({ type, channel: 'general', message: 'hello' }), failure('not_authenticated'), type)
  }
  for (const command of Object.keys(commands)) {
    for (const type of ['command', 'public', 'heartbeat']) {
      t.same(await client.exchange({ type, command }), failure('not_authenticated'), `${command}, as ${type}`)
    }
  }
  t.match(await client.exchange({ type: 'heartbeat' }), { type: 'heartbeat_ack', server_time: /^\d{4}-.*\.\d{3}Z$/ })
  t.match(await client.exchange({ type: 'shout' }), { code: 'unknown_type' })
})

t.test('[P12] a valid token is answered with its user, and a missing token with token_required', async t => {
  const ann = await server.register('ann')
  const client = await server.connect()
  for (const token of [undefined, null, '', '  ']) {
    t.same(await client.exchange({ type: 'authenticate', token }), failure('token_required'), `${token}`)
  }
  t.same(await client.exchange({ type: 'authenticate', token: ann.access_token }), {
    type: 'success',
    action: 'authenticated',
    data: {
      user_id: ann.user.id,
      username: 'ann',
      handle: ann.user.handle,
      email: ann.user.email,
      role: 'user',
      expires_at: new Date(Number(claimsOf(ann).exp) * 1000).toISOString()
    }
  })
})

t.test('[P12] only valid access tokens of this server are accepted, by REST too; other tokens close no connection [G8]', async t => {
  const control = await createControl(server)
  const [ann, gone, disabled] = [await server.register('ann'), await server.register('gone'), await server.register('disabled')]
  await server.database.prisma.user.update({ where: { id: disabled.user.id }, data: { disabledAt: new Date() } })
  await server.call('DELETE', '/api/me', { token: gone.access_token, body: { password: gone.password } })
  const loggedOut = (await server.call('POST', '/api/auth/login', { body: { email: ann.email, password: ann.password } })).body as Person
  await server.call('POST', '/api/auth/logout', { body: { refresh_token: loggedOut.refresh_token } })
  const claims = claimsOf(ann)
  const without = (name: string): object => ({ ...claims, [name]: undefined })
  const [head, body, signature] = ann.access_token.split('.')

  const wrong: Record<string, string> = {
    garbage: 'garbage',
    dots: '..',
    SQL: "'OR/**/1=1--",
    'alg none': sign(claims, { alg: 'none', hash: '' }),
    'alg none, signed': sign(claims, { alg: 'none' }),
    'alg NONE': sign(claims, { alg: 'NONE', hash: '' }),
    'no signature': `${head}.${body}.`,
    'RS256 signed with the secret': sign(claims, { alg: 'RS256' }),
    HS512: sign(claims, { alg: 'HS512', hash: 'sha512' }),
    'a foreign secret': sign(claims, { key: 'another secret of 32 bytes and more' }),
    'an empty secret': sign(claims, { key: '' }),
    'a tampered payload': `${head}.${encode({ ...claims, user_id: gone.user.id })}.${signature}`,
    'no exp': sign(without('exp')),
    'exp as a string': sign({ ...claims, exp: String(claims.exp) }),
    'an exp of 1e300': sign({ ...claims, exp: 1e300 }),
    expired: sign({ ...claims, iat: now() - 100, exp: now() - 1 }),
    'iat in 2 minutes': sign({ ...claims, iat: now() + 120 }),
    'nbf in 2 minutes': sign({ ...claims, nbf: now() + 120 }),
    'no iat': sign(without('iat')),
    'another iss': sign({ ...claims, iss: 'elsewhere' }),
    'no iss': sign(without('iss')),
    'another aud': sign({ ...claims, aud: 'elsewhere' }),
    'no aud': sign(without('aud')),
    'typ refresh': sign({ ...claims, typ: 'refresh' }),
    'no typ': sign(without('typ')),
    'no sid': sign(without('sid')),
    'an unknown login': sign({ ...claims, sid: randomUUID() }),
    "another user's login": sign({ ...claims, user_id: gone.user.id }),
    'an unknown user': sign({ ...claims, user_id: randomUUID() }),
    'a refresh token': ann.refresh_token,
    'of a deleted user': gone.access_token,
    'of a disabled user': disabled.access_token,
    'of a login that ended': loggedOut.access_token
  }
  const client = await server.connect()
  for (const [what, token] of Object.entries(wrong)) {
    t.same(await client.exchange({ type: 'authenticate', token }), failure('authentication_failed'), what)
    const { status, body } = await server.call('GET', '/api/me', { token })
    t.match({ status, body }, { status: 401, body: { code: 'authentication_failed' } }, `${what}, over REST`)
  }
  for (const token of [sign(claims), sign({ ...claims, iat: now() + 30, nbf: now() + 30 })]) {
    t.match(await client.exchange({ type: 'authenticate', token }), { action: 'authenticated' }, 'a token made by hand can be valid')
  }
  await control(t, 'after wrong tokens')
})

t.test('[P13] a fresh token of the same user extends the connection; tokens of other users and bad tokens are refused', async t => {
  const ann = await server.enter('ann', 'general')
  const ben = await server.register('ben')
  const { email, password } = ann.person
  const { body: second } = await server.call('POST', '/api/auth/login', { body: { email, password } })
  t.same(await ann.exchange({ type: 'authenticate', token: ben.access_token }), failure('not_authorized'))
  t.same(await ann.exchange({ type: 'authenticate', token: 'wrong' }), failure('authentication_failed'))
  t.match(await ann.request({ type: 'send_message', channel: 'general', message: 'still me' }), { data: { seq: 1 } })
  t.match(await ann.expect('message'), { user_id: ann.person.user.id })
  t.match(await ann.request({ type: 'authenticate', token: second.access_token }), { data: { user_id: ann.person.user.id } })
  t.match(await ann.request({ type: 'send_message', channel: 'general', message: 'still joined' }), { data: { seq: 2 } })

  await server.call('POST', '/api/auth/logout', { body: { refresh_token: ann.person.refresh_token } })
  await ann.settle()
  await server.call('POST', '/api/auth/logout', { body: { refresh_token: second.refresh_token } })
  t.same(await ann.closed(), { code: 4504, reason: 'session revoked' }, 'the connection belongs to the login of its last token')
})

t.test('[P14] a connection outlives its access token for a while and accepts a fresh one', async t => {
  const own = await startServer(t, { config: { authentication: { token_expiry: 5 } } })
  const ann = await own.enter('ann', 'general')
  const { access_token: token, refresh_token: refresh } = ann.person
  await eventually(async () => (await own.call('GET', '/api/me', { token })).status === 401)
  t.match(await ann.request({ type: 'send_message', channel: 'general', message: 'late' }), { action: 'message_sent' })
  t.same(await ann.exchange({ type: 'authenticate', token }), failure('authentication_failed'))
  const { body } = await own.call('POST', '/api/auth/refresh', { body: { refresh_token: refresh } })
  const { data } = await ann.request({ type: 'authenticate', token: body.access_token })
  t.ok(Date.parse(data.expires_at) > Date.now())
})

import { createHmac } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import type { Login } from '../../src/schemas/auth.ts'
import { secret } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { buildRest } from './rest.ts'

const failed = { statusCode: 401, error: 'Unauthorized', code: 'authentication_failed', message: 'Authentication failed' }
const password = 'password-of-theirs'

// All tests use one server. Each has its own users, and its own address where it comes near a limit of addresses.
const { call, register, told, lines, database } = await buildRest(t)
const rows = createRows(database)
/** The events that concern this user. */
const toldOf = ({ user }: Login) => told.filter(event => event.includes(user.id))

t.test('a user registers, logs in, reads the account, refreshes and logs out', async t => {
  const fields = { email: 'Ann@Example.org', name: 'Ann', password }

  const registered = await call('POST', '/api/auth/register', fields)
  t.equal(registered.status, 201)
  t.match(registered.body, {
    user: { email: 'ann@example.org', name: 'Ann', role: 'user' }, token_type: 'Bearer', expires_in: 3600, refresh_expires_in: 86_400
  })
  t.match(registered.body.refresh_token, /^[\w-]{43}$/)
  t.match(registered.body.user.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

  const again = await call('POST', '/api/auth/register', { ...fields, email: 'ａnn@example.ORG' })
  t.match(again, { status: 409, body: { code: 'email_taken', message: 'Email already registered' } })

  const { body: login } = await call('POST', '/api/auth/login', { email: 'ANN@example.org', password })
  t.same(login.user, registered.body.user)
  t.not(sidOf(login), sidOf(registered.body), 'every login has its own sid')

  const me = await call('GET', '/api/me', undefined, login.access_token)
  t.match(me, { status: 200, body: registered.body.user })

  const refreshed = await call('POST', '/api/auth/refresh', { refresh_token: login.refresh_token })
  t.equal(refreshed.status, 200)
  t.equal(sidOf(refreshed.body), sidOf(login), 'a refresh keeps the sid')
  t.not(refreshed.body.refresh_token, login.refresh_token)

  t.equal((await call('POST', '/api/auth/logout', { refresh_token: refreshed.body.refresh_token })).status, 204)
  t.equal((await call('POST', '/api/auth/logout', { refresh_token: refreshed.body.refresh_token })).status, 204, 'a second logout succeeds')
  t.same(toldOf(login), [`revoked ${login.user.id} ${sidOf(login)}`])
  t.match(await call('GET', '/api/me', undefined, login.access_token), { status: 401, body: failed })
  t.match(await call('POST', '/api/auth/refresh', { refresh_token: refreshed.body.refresh_token }), { status: 401, body: failed })
  t.equal((await call('GET', '/api/me', undefined, registered.body.access_token)).status, 200, 'the other login works')
})

t.test('[P56] passwords match in any Unicode normalisation form, also where the stored hash is of another form', async t => {
  const [composed, decomposed] = ['caf\u00e9-password', 'cafe\u0301-password']
  const email = 'unicode@example.org'
  const login = async (given: string) => (await call('POST', '/api/auth/login', { email, password: given })).status
  await call('POST', '/api/auth/register', { email, name: 'Ann', password: decomposed })
  t.same([await login(composed), await login(decomposed), await login('cafe-password')], [200, 200, 401])

  const passwordHash = await hash(decomposed)
  await database.prisma.user.update({ where: { email }, data: { passwordHash } })
  t.same([await login(composed), await login(decomposed), await login('cafe-password')], [200, 200, 401])
})

t.test('[P12] only a valid access token of this server is accepted', async t => {
  const login = await register()
  const claims = claimsOf(login)
  const now = Math.floor(Date.now() / 1000)
  const [head, body, signature] = login.access_token.split('.') as [string, string, string]

  t.equal((await call('GET', '/api/me', undefined, forge(claims))).status, 200, 'the token that the cases below vary is valid')
  const bad: Record<string, string> = {
    'alg none': forge(claims, { alg: 'none', signed: false }),
    'alg none with a signature': forge(claims, { alg: 'none' }),
    'alg NONE': forge(claims, { alg: 'NONE', signed: false }),
    'RS256 signed with the secret': forge(claims, { alg: 'RS256' }),
    HS512: forge(claims, { alg: 'HS512', hash: 'sha512' }),
    'no exp': forge({ ...claims, exp: undefined }),
    'exp as a string': forge({ ...claims, exp: String(claims.exp) }),
    'exp null': forge({ ...claims, exp: null }),
    expired: forge({ ...claims, exp: now - 1 }),
    'iat in the future': forge({ ...claims, iat: now + 120 }),
    'no iat': forge({ ...claims, iat: undefined }),
    'nbf in the future': forge({ ...claims, nbf: now + 120 }),
    'a foreign secret': forge(claims, { key: 'another secret of 32 bytes and more' }),
    'tampered claims': `${head}.${encode({ ...claims, user_id: '01a206c1-44ff-74cc-9f3d-e76a4fa5e90f' })}.${signature}`,
    'no signature': `${head}.${body}.`,
    'another issuer': forge({ ...claims, iss: 'other' }),
    'another audience': forge({ ...claims, aud: 'other' }),
    'no issuer': forge({ ...claims, iss: undefined }),
    'another typ': forge({ ...claims, typ: 'refresh' }),
    'no typ': forge({ ...claims, typ: undefined }),
    'no sid': forge({ ...claims, sid: undefined }),
    'a sid that is not an id': forge({ ...claims, sid: 'x' }),
    'the sid of another user': forge({ ...claims, sid: sidOf(await register()) }),
    'an unknown user': forge({ ...claims, user_id: '01a206c1-44ff-74cc-9f3d-e76a4fa5e90f' }),
    'a refresh token': login.refresh_token,
    'a critical header': forge(claims, { crit: ['x'] }),
    'not a token': 'x',
    'claims that are not an object': forge(null)
  }
  for (const [what, token] of Object.entries(bad)) {
    t.match(await call('GET', '/api/me', undefined, token), { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: failed }, what)
  }
  t.equal((await call('GET', '/api/me', undefined, forge({ ...claims, iat: now + 30 }))).status, 200, 'clocks may differ by 30 s')

  await database.prisma.user.update({ where: { id: login.user.id }, data: { disabledAt: new Date() } })
  t.match(await call('GET', '/api/me', undefined, login.access_token), { status: 401, body: failed }, 'a disabled user')
  t.match(await call('POST', '/api/auth/refresh', { refresh_token: login.refresh_token }), { status: 401, body: failed })
  t.match(await call('POST', '/api/auth/login', { email: login.user.email, password }), { status: 401, body: failed })
})

t.test('a token is accepted only in the Authorization header, and query strings are not logged', async t => {
  const { access_token: token } = await register()
  const none = { status: 401, body: { code: 'not_authenticated', message: 'Not authenticated' } }
  t.match(await call('GET', `/api/me?access_token=${token}&token=${token}`), none)
  t.match(await call('GET', '/api/me'), none)
  t.match(await call('GET', '/api/me', undefined, undefined, { headers: { authorization: 'Basic YTpi' } }), none)
  t.match(await call('GET', '/api/me', undefined, undefined, { headers: { authorization: 'Bearer ' } }), none)
  t.match(await call('GET', '/api/me', undefined, undefined, { headers: { cookie: `token=${token}` } }), none)
  await call('GET', `/nowhere?token=${token}`)
  t.notOk(lines.some(line => line.includes(token)))
})

t.test('a wrong password and an unknown user get the same answer', async t => {
  const { user } = await register()
  const wrong = await call('POST', '/api/auth/login', { email: user.email, password: 'not-their-password' })
  const unknown = await call('POST', '/api/auth/login', { email: 'nobody@example.org', password: 'not-their-password' })
  t.same([wrong.status, wrong.body], [401, failed])
  t.same([unknown.status, unknown.body], [401, failed])
  t.match(await call('POST', '/api/auth/login', { email: 'no address', password: '' }), { status: 401, body: failed })
})

t.test('logins are refused after 10 failures a minute for an account and address, or 50 for an address', async t => {
  const [{ user }, ...others] = [await register(), await register(), await register(), await register()] as const
  for (const login of [{ user }, ...others]) await rows.password(login, password)
  const login = (email: string | null, word: string, remoteAddress: string, headers = {}) =>
    call('POST', '/api/auth/login', { email, password: word }, undefined, { remoteAddress, headers })

  for (let n = 0; n < 10; n++) t.equal((await login(user.email, 'wrong-password', '10.0.0.1')).status, 401)
  const refused = await login(user.email, password, '10.0.0.1', { 'x-forwarded-for': '10.9.9.9' })
  t.match(refused, { status: 429, body: { code: 'rate_limited', message: 'Too many requests' } }, 'right password, forged address')
  const wait = Number(refused.headers['retry-after'])
  t.ok(wait >= 1 && wait <= 60)
  t.ok(refused.body.retry_after_ms <= wait * 1000)
  t.equal((await login(user.email, password, '10.0.0.2')).status, 200, 'another address is not limited')

  const emails = [...others.map(({ user }) => user.email), 'nobody@example.org']
  for (let n = 0; n < 40; n++) t.equal((await login(emails[n % emails.length]!, 'wrong-password', '10.0.0.1')).status, 401)
  t.equal((await login('someone@example.org', password, '10.0.0.1')).status, 429, 'an address that tries many accounts is limited')
})

t.test('an address may register 300 times a minute, whether registrations succeed or not', async t => {
  const email = 'many@example.org'
  const again = (email: string, remoteAddress = '10.0.1.1') =>
    call('POST', '/api/auth/register', { email, name: 'x', password }, undefined, { remoteAddress })
  t.equal((await again(email)).status, 201)
  for (let n = 1; n < 300; n++) t.equal((await again(email)).status, 409)
  const refused = await again('another@example.org')
  t.match(refused, { status: 429, headers: { 'retry-after': /^\d+$/ }, body: { code: 'rate_limited' } })
  t.equal((await again('another@example.org', '10.0.1.2')).status, 201, 'another address is not limited')
  const login = await call('POST', '/api/auth/login', { email, password }, undefined, { remoteAddress: '10.0.1.1' })
  t.equal(login.status, 200, 'logins are not limited by registrations')
})

t.test('20 logins at once with the right password all succeed', async t => {
  const { user } = await register()
  await rows.password({ user }, password)
  const replies = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/api/auth/login', { email: user.email, password })))
  t.ok(replies.every(reply => reply.status === 200))
})

t.test('10 registrations of one email at once create one account', async t => {
  const replies = await Promise.all(Array.from({ length: 10 }, () =>
    call('POST', '/api/auth/register', { email: 'one@example.org', name: 'One', password })))
  t.same(replies.map(reply => reply.status).sort(), [201, ...Array.from({ length: 9 }, () => 409)])
})

t.test('[G12] [P61] 50 parallel refreshes of one token give one successor, and no token is stored in the clear', async t => {
  const login = await register()
  const refresh = (token: string) => call('POST', '/api/auth/refresh', { refresh_token: token })

  const replies = await Promise.all(Array.from({ length: 50 }, () => refresh(login.refresh_token)))
  t.ok(replies.every(reply => reply.status === 200))
  const successors = new Set(replies.map(reply => reply.body.refresh_token))
  t.equal(successors.size, 1)
  const stored = await database.prisma.refreshToken.findMany({ where: { userId: login.user.id } })
  t.equal(stored.length, 2)
  t.same(toldOf(login), [])

  const [successor] = successors
  t.notOk(JSON.stringify(stored.map(row => Object.values(row).map(String))).includes(successor), 'the token itself is not stored')
})

t.test('an expired or unknown refresh token is refused and ends no login', async t => {
  const login = await register()
  await database.prisma.refreshToken.updateMany({ where: { userId: login.user.id }, data: { expiresAt: new Date(Date.now() - 60_000) } })
  t.match(await call('POST', '/api/auth/refresh', { refresh_token: login.refresh_token }), { status: 401, body: failed })
  t.match(await call('POST', '/api/auth/refresh', { refresh_token: login.access_token.slice(0, 200) }), { status: 401, body: failed })
  t.match(await call('POST', '/api/auth/logout', { refresh_token: 'x' }), { status: 401, body: failed })
  t.equal((await call('GET', '/api/me', undefined, login.access_token)).status, 200)
  t.same(toldOf(login), [])
})

const sidOf = (login: Login) => claimsOf(login).sid

function claimsOf (login: Login): { sid: string, exp: number, iat: number } {
  return JSON.parse(Buffer.from(login.access_token.split('.')[1]!, 'base64url').toString())
}

interface Forgery { alg?: string, hash?: string, key?: string, signed?: boolean, crit?: string[] }

/** Makes a token by hand, as an attacker would. Without options it is a token as the server makes it. */
function forge (claims: object | null, { alg = 'HS256', hash = 'sha256', key = secret, signed = true, crit }: Forgery = {}) {
  const input = `${encode({ alg, typ: 'JWT', crit })}.${encode(claims)}`
  return `${input}.${signed ? createHmac(hash, key).update(input).digest('base64url') : ''}`
}

function encode (part: object | null): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

import { t } from '../tap.ts'
import { buildRest } from './rest.ts'

const password = 'password-of-theirs'

// All tests use one server. Each has its own users.
const { call, register, told, database } = await buildRest(t)
/** The events that concern this user. */
const toldOf = ({ id }: { id: string }) => told.filter(event => event.includes(id))

t.test('users can change their name', async t => {
  const { user, access_token: token } = await register()
  t.match(await call('PATCH', '/api/me', { name: 'Other' }, token), { status: 200, body: { ...user, name: 'Other' } })
  t.match(await call('GET', '/api/me', undefined, token), { body: { name: 'Other' } })
  t.match(await call('PATCH', '/api/me', {}, token), { status: 200, body: { name: 'Other' } })
  t.same(toldOf(user), [`changed ${user.id}`])
  const bodies = [
    { name: '' }, { name: null }, { email: 'x@y' }, { role: 'admin' }, { password: 'new-password' },
    { password: 'short', current_password: password }
  ]
  for (const body of bodies) {
    t.match(await call('PATCH', '/api/me', body, token), { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(body))
  }
})

t.test('changing the password requires the current one and ends all other logins', async t => {
  const { user, access_token: token } = await register()
  const { body: other } = await call('POST', '/api/auth/login', { email: user.email, password })
  const change = (current: string) => call('PATCH', '/api/me', { password: 'new-password', current_password: current }, token)

  t.match(await change('not-their-password'), { status: 403, body: { code: 'not_authorized', message: 'Not authorized' } })
  t.same(toldOf(user), [])
  t.match(await change(password), { status: 200, body: user })
  t.equal(toldOf(user).length, 1)
  t.match(toldOf(user)[0], new RegExp(`^revoked ${user.id} `))

  t.equal((await call('GET', '/api/me', undefined, token)).status, 200, 'the login that made the change still works')
  t.equal((await call('GET', '/api/me', undefined, other.access_token)).status, 401)
  t.equal((await call('POST', '/api/auth/refresh', { refresh_token: other.refresh_token })).status, 401)
  t.equal((await call('POST', '/api/auth/login', { email: user.email, password })).status, 401)
  t.equal((await call('POST', '/api/auth/login', { email: user.email, password: 'new-password' })).status, 200)
})

t.test('guessing the current password is throttled', async t => {
  const { access_token: token } = await register()
  for (let n = 0; n < 10; n++) t.equal((await call('DELETE', '/api/me', { password: 'not-their-password' }, token)).status, 403)
  const refused = await call('PATCH', '/api/me', { password: 'new-password', current_password: password }, token)
  t.match(refused, { status: 429, headers: { 'retry-after': /^\d+$/ }, body: { code: 'rate_limited' } })
  t.equal((await call('PATCH', '/api/me', { name: 'Still there' }, token)).status, 200)
})

t.test('logins with the old password that run during a change of password do not outlive the change', async t => {
  const { user, access_token: token } = await register()
  const logins = Array.from({ length: 20 }, () => call('POST', '/api/auth/login', { email: user.email, password }))
  const changed = call('PATCH', '/api/me', { password: 'new-password', current_password: password }, token)
  const [{ status }, ...replies] = await Promise.all([changed, ...logins])
  t.equal(status, 200)
  for (const reply of replies) {
    if (reply.status === 401) continue
    t.equal((await call('GET', '/api/me', undefined, reply.body.access_token)).status, 401)
  }
})

t.test('an erased account leaves no personal data, no login and no membership', async t => {
  const login = await register({ email: 'gone@example.org' })
  const { id } = login.user
  const channel = await database.prisma.channel.create({ data: { name: 'room', userCount: 1, members: { create: { userId: id } } } })

  t.equal((await call('DELETE', '/api/me', { password: 'not-their-password' }, login.access_token)).status, 403)
  t.equal((await call('DELETE', '/api/me', undefined, login.access_token)).status, 400)
  t.equal((await call('DELETE', '/api/me', { password }, login.access_token)).status, 204)
  t.same(toldOf(login.user), [`disabled ${id}`])

  const row = await database.prisma.user.findUnique({ where: { id } })
  t.match(row, { email: null, name: 'deleted user', passwordHash: null, disabledAt: Date })
  t.equal(await database.prisma.refreshToken.count({ where: { userId: id, revokedAt: null } }), 0)
  const left = await database.prisma.channel.findUnique({ where: { id: channel.id }, include: { members: true } })
  t.match(left, { userCount: 0, members: [] })

  t.equal((await call('GET', '/api/me', undefined, login.access_token)).status, 401)
  t.equal((await call('POST', '/api/auth/refresh', { refresh_token: login.refresh_token })).status, 401)
  t.equal((await call('POST', '/api/auth/login', { email: 'gone@example.org', password })).status, 401)
  await register({ email: 'gone@example.org' })
})

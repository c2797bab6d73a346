import type { AccessClaims } from '../../src/schemas/auth.ts'
import { startServer, type Person, type Server } from '../helper.ts'
import { t } from '../tap.ts'

// Tests that need no settings of their own share this server. Each has its own users and channel.
const server = await startServer(t)

const revoked = { code: 4504, reason: 'session revoked' }
const disconnected = { code: 4503, reason: 'disconnected by administrator' }

/** Logs the same user in once more. */
async function loginAgain ({ email, password }: Person): Promise<Person> {
  const { body } = await server.call('POST', '/api/auth/login', { body: { email, password } })
  return { ...body, email, password }
}

async function refresh (at: Server, token: string): Promise<{ status: number, body: Person }> {
  return at.call('POST', '/api/auth/refresh', { body: { refresh_token: token } })
}

t.test('[P12] a logout closes the connections of its login, and no others', async t => {
  const ann = await server.enter('ann', 'room-1')
  const tab = await server.login(ann.person)
  const phone = await server.login(await loginAgain(ann.person))
  const ben = await server.enter('ben', 'room-1')
  t.equal((await server.call('POST', '/api/auth/logout', { body: { refresh_token: ann.person.refresh_token } })).status, 204)
  t.same(await ann.closed(), revoked)
  t.same(await tab.closed(), revoked)
  await phone.settle()
  t.match(await ben.expect('user_left'), { user_id: ann.person.user.id }, 'other users see ann leave')
  const late = await server.connect()
  t.match(await late.exchange({ type: 'authenticate', token: ann.person.access_token }), { code: 'authentication_failed' })
})

t.test('[G12] a replayed refresh token closes all connections of its login, also those with older access tokens', async t => {
  const own = await startServer(t, { config: { authentication: { refresh_window: 0 } } })
  const ann = await own.enter('ann')
  const first = ann.person.refresh_token
  const second = await refresh(own, first)
  const tab = await own.login({ ...ann.person, ...second.body })
  const third = await refresh(own, second.body.refresh_token)
  t.equal(third.status, 200)
  await ann.settle()
  t.equal((await refresh(own, first)).status, 401)
  t.same(await ann.closed(), revoked)
  t.same(await tab.closed(), revoked)
  t.equal((await refresh(own, third.body.refresh_token)).status, 401, 'the newest refresh token is revoked too')
})

t.test('changing the password closes the connections of all other logins', async t => {
  const ann = await server.enter('ann')
  const other = await server.login(await loginAgain(ann.person))
  const body = { password: 'another password', current_password: ann.person.password }
  t.equal((await server.call('PATCH', '/api/me', { token: ann.person.access_token, body })).status, 200)
  t.same(await other.closed(), revoked)
  await ann.settle()
})

t.test('[P15] erasing an account closes the connections of all its logins with 4503', async t => {
  const ann = await server.enter('ann', 'room-3')
  const phone = await server.login(await loginAgain(ann.person))
  const ben = await server.enter('ben', 'room-3')
  const { status } = await server.call('DELETE', '/api/me', { token: ann.person.access_token, body: { password: ann.person.password } })
  t.equal(status, 204)
  t.same(await ann.closed(), disconnected)
  t.same(await phone.closed(), disconnected)
  t.match(await ben.expect('user_left'), { user_id: ann.person.user.id })
  await ben.settle()
})

t.test('[P15] [P33] changes of accounts that only the database has are noticed within seconds', async t => {
  const ann = await server.enter('ann')
  const ben = await server.enter('ben')
  const eve = await server.enter('eve')
  await server.database.prisma.user.update({ where: { id: ann.person.user.id }, data: { disabledAt: new Date() } })
  await server.database.prisma.refreshToken.updateMany({ where: { userId: ben.person.user.id }, data: { revokedAt: new Date() } })
  t.same(await ann.closed(5000), disconnected)
  t.same(await ben.closed(5000), revoked)
  await eve.settle()
})

t.test('[P15] a new name or role takes effect on the next frame', async t => {
  const ann = await server.enter('ann', 'room-5')
  await server.call('PATCH', '/api/me', { token: ann.person.access_token, body: { name: 'anna' } })
  await ann.request({ type: 'send_message', channel: 'room-5', message: 'hello' })
  t.equal((await ann.expect('message')).username, 'anna')
  t.equal((await ann.exchange({ type: 'join_channel', channel: 'moderator-room' })).code, 'not_authorized')
  await server.database.prisma.user.update({ where: { id: ann.person.user.id }, data: { role: 'admin' } })
  const room = { name: 'moderator-room', channel_type: 'moderator' }
  const { body } = await server.call('POST', '/api/channels', { token: ann.person.access_token, body: room })
  t.match(body, room)
  await ann.request({ type: 'join_channel', channel: 'moderator-room' })
})

t.test('[P12] the end of a login also closes a connection whose token has the ids in capitals', async t => {
  const person = await server.register('ann')
  const claims = server.app.jwt.decode<AccessClaims>(person.access_token)!
  const token = server.app.accessTokens.sign({ ...claims, user_id: claims.user_id.toUpperCase(), sid: claims.sid.toUpperCase() })
  const ann = await server.login({ ...person, access_token: token })
  await server.call('POST', '/api/auth/logout', { body: { refresh_token: person.refresh_token } })
  t.same(await ann.closed(), revoked)
})

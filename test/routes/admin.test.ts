import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Frame } from '../client.ts'
import { failure, redis, startServer, type Person } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const first = { email: 'Root@Example.org', password: 'password-of-root' }
const server = await startServer(t, { config: { ...config, authentication: { admin_email: first.email, admin_password: first.password } } })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const { prisma } = server.database
const rows = createRows(server.database)

const refused = (status: number, code: string) => ({ status, body: { statusCode: status, code } })
const login = ({ email, password }: typeof first) => server.call('POST', '/api/auth/login', { body: { email, password } })
const { body: root } = await login(first)
const call = (method: string, path: string, body?: object) => server.call(method, `/api/admin${path}`, { token: root.access_token, body })
const change = (person: Person, body: object) => call('PATCH', `/users/${person.user.id}`, body)

t.test('ADMIN_EMAIL and ADMIN_PASSWORD create the first admin, whose email is matched without regard to case', async t => {
  t.match(root.user, { email: 'root@example.org', name: 'admin', role: 'admin' })
  const { status, body } = await call('GET', '/users?query=ROOT@')
  t.match({ status, body }, { status: 200, body: { users: [{ ...root.user, disabled_at: null }], next_cursor: null } })
})

t.test('[P15] only admins may use /api/admin, and a change of role takes effect on the next request with the same token', async t => {
  const ann = await server.register('ann')
  const calls: Array<[string, string, object?]> = [
    ['GET', '/users'], ['PATCH', `/users/${ann.user.id}`, { role: 'admin' }], ['DELETE', `/users/${root.user.id}`],
    ['DELETE', `/users/${root.user.id}/connections`], ['POST', '/announcements', { message: 'x' }], ['GET', '/log']
  ]
  const asAnn = (method: string, path: string, body?: object) => server.call(method, `/api/admin${path}`, { token: ann.access_token, body })
  for (const role of ['user', 'moderator'] as const) {
    await rows.role({ user: ann.user }, role)
    for (const [method, path, body] of calls) {
      t.match(await asAnn(method, path, body), refused(403, 'not_authorized'), `${role}: ${method} ${path}`)
    }
  }
  for (const [method, path, body] of calls) {
    t.match(await server.call(method, `/api/admin${path}`, { body }), refused(401, 'not_authenticated'))
  }
  await change(ann, { role: 'admin' })
  t.equal((await asAnn('GET', '/users')).status, 200)
  await change(ann, { role: 'user' })
  t.match(await asAnn('GET', '/users'), refused(403, 'not_authorized'))
})

t.test('accounts are listed in pages and found by any part of email or name, whose characters have no special meaning', async t => {
  const mark = randomUUID()
  const names = ['a_b', 'a%b', 'axb', 'A\\b', 'Äb']
  const ids = names.map(() => uuidv7())
  const accounts = names.map((name, i) => ({ id: ids[i]!, email: `${i}-${mark}@example.org`, name: `${name} ${mark}` }))
  await prisma.user.createMany({ data: accounts })
  await prisma.user.create({ data: { name: `guest-${mark}` } })
  const found: Frame[][] = []
  let cursor = ''
  do {
    const { body } = await call('GET', `/users?limit=2&query=${mark.toUpperCase()}${cursor}`)
    found.push(body.users)
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor)
  t.same(found.map(page => page.map(({ id }) => id)), [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)], 'guests are not listed')
  t.match(found[0]![0], { ...accounts[0], role: 'user', created_at: String, disabled_at: null })
  for (const [i, name] of names.entries()) {
    const { body } = await call('GET', `/users?query=${encodeURIComponent(`${name} ${mark}`)}`)
    t.same(body.users.map(({ id }: Frame) => id), [ids[i]], name)
  }
  for (const query of ['limit=0', 'limit=1e9', 'cursor=x', 'query=', `query=${'x'.repeat(255)}`, 'query=%00', 'role=admin']) {
    t.match(await call('GET', `/users?${query}`), refused(400, 'invalid_request'), query)
  }
})

t.test('[P15] a change of role takes effect on the next frame on every instance and ends memberships that it does not allow', async t => {
  const [ann, away] = [await server.enter('ann', 'lounge'), await server.register()]
  const tab = await other.login(ann.person)
  const room = await rows.channel('moderator')
  const eve = await server.enter('eve')
  await tab.request({ type: 'join_channel', channel: 'lounge' })
  const kick = { type: 'command', command: 'kick_user', channel: room.name, user_id: away.user.id }
  t.same(await tab.exchange(kick), failure('not_authorized'))
  const promoted = { id: ann.person.user.id, role: 'moderator', disabled_at: null }
  t.match(await change(ann.person, { role: 'moderator' }), { status: 200, body: promoted })
  for (const client of [ann, tab]) {
    t.match(await client.exchange(kick), { action: 'user_kicked' })
    await client.request({ type: 'join_channel', channel: room.name })
  }
  await change(eve.person, { role: 'admin' })
  await eve.request({ type: 'join_channel', channel: room.name })

  t.equal((await change(ann.person, { role: 'user' })).status, 200)
  for (const client of [ann, tab]) {
    t.match(await client.expect('kicked_from_channel'), { channel: room.name })
    t.same(await client.exchange(kick), failure('not_authorized'))
    t.same(await client.exchange({ type: 'send_message', channel: room.name, message: 'x' }), failure('not_in_channel'))
    t.match(await client.exchange({ type: 'send_message', channel: 'lounge', message: 'x' }), { action: 'message_sent' })
  }
  await eve.request({ type: 'send_message', channel: room.name, message: 'without ann' })
  for (const client of [ann, tab]) {
    t.notOk((await client.settle()).some(({ channel, type }) => type === 'message' && channel === room.name))
  }
  t.equal(await prisma.channelUser.count({ where: { channelId: room.id } }), 1)
  t.match(await prisma.channel.findUnique({ where: { id: room.id } }), { userCount: 1 })
})

t.test('[P15] disabling closes all connections on every instance with 4503 and ends logins; enabling allows new logins', async t => {
  const ann = await server.enter('ann', 'lounge')
  const tab = await other.login(ann.person)
  const { status, body } = await change(ann.person, { disabled: true })
  t.match({ status, body }, { status: 200, body: { id: ann.person.user.id, disabled_at: String } })
  for (const client of [ann, tab]) t.same(await client.closed(), { code: 4503, reason: 'disconnected by administrator' })
  t.match(await login(ann.person), refused(401, 'authentication_failed'))
  const refresh = () => server.call('POST', '/api/auth/refresh', { body: { refresh_token: ann.person.refresh_token } })
  t.match(await refresh(), refused(401, 'authentication_failed'))
  t.match(await server.call('GET', '/api/me', { token: ann.person.access_token }), refused(401, 'authentication_failed'))
  const client = await server.connect()
  t.same(await client.exchange({ type: 'authenticate', token: ann.person.access_token }), failure('authentication_failed'))

  t.match(await change(ann.person, { disabled: true }), { status: 200 }, 'disabling again has no effect')
  t.match(await change(ann.person, { disabled: false }), { status: 200, body: { disabled_at: null } })
  t.match(await refresh(), refused(401, 'authentication_failed'), 'revoked logins stay revoked')
  const { body: again } = await login(ann.person)
  const back = await server.login({ ...ann.person, ...again })
  t.same(await back.exchange({ type: 'send_message', channel: 'lounge', message: 'x' }), failure('not_in_channel'))
  await back.request({ type: 'join_channel', channel: 'lounge' })
  await back.request({ type: 'send_message', channel: 'lounge', message: 'x' })
})

t.test('admins may not change, disable or erase themselves; unknown users and guests answer user_not_found', async t => {
  t.match(await change(root, { role: 'user' }), refused(403, 'not_authorized'))
  t.match(await change(root, { disabled: true }), refused(403, 'not_authorized'))
  t.match(await call('DELETE', `/users/${root.user.id.toUpperCase()}`), refused(403, 'not_authorized'))
  const guest = await prisma.user.create({ data: { name: 'guest-abcdef' } })
  for (const id of ['nobody', randomUUID(), guest.id]) {
    t.match(await call('PATCH', `/users/${id}`, { role: 'admin' }), refused(404, 'user_not_found'))
    t.match(await call('PATCH', `/users/${id}`, { disabled: true }), refused(404, 'user_not_found'))
    t.match(await call('DELETE', `/users/${id}`), refused(404, 'user_not_found'))
    t.match(await call('DELETE', `/users/${id}/connections`), refused(404, 'user_not_found'))
  }
  const wrong = [{}, { role: 'king' }, { role: null }, { disabled: 'yes' }, { disabled: 1 }, { name: 'x' }, { role: 'user', email: 'x@y' }]
  for (const body of wrong) {
    t.match(await call('PATCH', `/users/${guest.id}`, body), refused(400, 'invalid_request'), JSON.stringify(body))
  }
})

t.test('erasing keeps messages under `deleted user`, frees the email, closes connections and ends memberships', async t => {
  const ann = await server.enter('ann', 'lounge')
  const ben = await server.enter('ben', 'lounge')
  const tab = await other.login(ann.person)
  const { data: { id } } = await ann.request({ type: 'send_message', channel: 'lounge', message: 'what ann said' })
  t.match(await call('DELETE', `/users/${ann.person.user.id}`), { status: 204, body: null })
  for (const client of [ann, tab]) t.match(await client.closed(), { code: 4503 })
  await ben.expect(frame => frame.type === 'user_left' && frame.user_id === ann.person.user.id)
  const { body: { messages } } = await server.call('GET', '/api/channels/lounge/messages?limit=1', { token: ben.person.access_token })
  t.match(messages, [{ id, user_id: ann.person.user.id, username: 'deleted user', message: 'what ann said' }])
  t.match(await login(ann.person), refused(401, 'authentication_failed'))
  t.equal(await prisma.channelUser.count({ where: { userId: ann.person.user.id } }), 0)
  t.match(await prisma.user.findUnique({ where: { id: ann.person.user.id } }),
    { email: null, name: 'deleted user', passwordHash: null, role: 'user', disabledAt: Date })
  t.match(await call('DELETE', `/users/${ann.person.user.id}`), refused(404, 'user_not_found'), 'an erased user is not found')
  const { email, password } = ann.person
  t.match(await server.call('POST', '/api/auth/register', { body: { email, password, name: 'another ann' } }), { status: 201 })
})

t.test('disconnecting closes connections and changes nothing else', async t => {
  const ann = await server.enter('ann', 'lounge')
  const tab = await other.login(ann.person)
  t.match(await call('DELETE', `/users/${ann.person.user.id}/connections`), { status: 204, body: null })
  for (const client of [ann, tab]) t.same(await client.closed(), { code: 4503, reason: 'disconnected by administrator' })
  const back = await server.login(ann.person)
  await back.request({ type: 'join_channel', channel: 'lounge' })
  t.match(await call('DELETE', `/users/${ann.person.user.id}/connections`), { status: 204 })
  await back.closed()
  t.match(await call('DELETE', `/users/${ann.person.user.id}/connections`), { status: 204 }, 'no connection is open')
})

t.test('an announcement reaches every authenticated connection, on every instance', async t => {
  const ann = await server.enter('ann')
  const ben = await other.login(await server.register('ben'))
  const stranger = await server.connect()
  t.match(await call('POST', '/announcements', { message: 'back in 5 minutes' }), { status: 204, body: null })
  for (const client of [ann, ben]) {
    const { timestamp, ...announcement } = await client.expect('announcement')
    t.same(announcement, { type: 'announcement', message: 'back in 5 minutes' })
    t.equal(new Date(timestamp).toISOString(), timestamp)
  }
  t.same(await stranger.settle(), [])
  for (const body of [{}, { message: null }, { message: ' ' }]) {
    t.match(await call('POST', '/announcements', body), refused(400, 'message_required'))
  }
  for (const body of [{ message: 7 }, { message: 'a\0' }, { message: 'x', to: 'ann' }]) {
    t.match(await call('POST', '/announcements', body), refused(400, 'invalid_request'), JSON.stringify(body))
  }
})

t.test('the log lists the acts of admins and moderators in all channels, newest first, in pages', async t => {
  const ann = await server.register('ann')
  const changes = [{ role: 'moderator' }, { role: 'user', disabled: true }, { disabled: false }, { role: 'user' }]
  for (const body of changes) await change(ann, body)
  await server.call('POST', '/api/channels', { token: root.access_token, body: { name: 'logged' } })
  const ban = { token: root.access_token, body: { reason: 'spam', duration: 60 } }
  await server.call('PUT', `/api/channels/logged/bans/${ann.user.id}`, ban)
  await call('DELETE', `/users/${ann.user.id}`)
  const about: Frame[] = []
  let cursor = ''
  do {
    const { body } = await call('GET', `/log?limit=3${cursor}`)
    t.ok(body.log.length <= 3)
    about.push(...body.log.filter((entry: { target_id: string }) => entry.target_id === ann.user.id))
    cursor = `&cursor=${body.next_cursor}`
  } while (!cursor.endsWith('=null'))
  t.same(about.map(({ action }) => action),
    ['erase_user', 'ban_user', 'enable_user', 'disable_user', 'set_role_user', 'set_role_moderator'], 'only acts with an effect')
  t.ok(about.every(entry => entry.actor_id === root.user.id))
  t.match(about[1], { channel: 'logged', channel_id: String, reason: 'spam', expires_at: String, created_at: String })
  t.match(about[0], { channel: null, channel_id: null, reason: null, expires_at: null })
  t.match(await call('GET', '/log?cursor=x'), refused(400, 'invalid_request'))
})

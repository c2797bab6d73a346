import { randomUUID } from 'node:crypto'
import { operationIds } from '../documented.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { called } from '../rest-client.ts'
import { createRows } from '../rows.ts'
import { codeOf, startSmtp } from '../smtp.ts'
import { t } from '../tap.ts'

/** Calls every operation of docs/openapi.json by the client that is made of it, which compares each reply with the document. */
const smtp = await startSmtp(t)
const server = await startServer(t, { config: { mail: { url: smtp.url, from: 'parley@example.org' } } })
const rows = createRows(server.database)
const nobody = server.rest()
const [ann, ben, root] = [await server.register('ann'), await server.register('ben'), await server.register('root')]
await rows.role(root, 'admin')
const [asAnn, asBen, asRoot] = [ann, ben, root].map(server.rest) as [typeof nobody, typeof nobody, typeof nobody]
const room = { name: 'room' }
const path = { path: room }
const ofBen = { path: { ...room, user_id: ben.user.id } }

t.test('accounts: register, verify, log in, refresh, reset the password, log out', async t => {
  const email = `${randomUUID()}@example.org`
  const made = await nobody.POST('/api/auth/register', { body: { email, name: 'Eve', password: 'correct horse' } })
  t.equal(made.response.status, 201)
  t.equal((await nobody.POST('/api/auth/verify', { body: { code: codeOf(await smtp.next(email)) } })).response.status, 204)
  const { data, error } = await nobody.POST('/api/auth/login', { body: { email, password: 'correct horse' } })
  t.match({ data, error }, { data: { user: { email, email_verified: true }, token_type: 'Bearer' }, error: undefined })
  const next = await nobody.POST('/api/auth/refresh', { body: { refresh_token: data!.refresh_token! } })
  t.not(next.data?.refresh_token, data!.refresh_token)

  t.equal((await nobody.POST('/api/auth/forgot', { body: { email } })).response.status, 204)
  const code = codeOf(await smtp.next(email))
  t.equal((await nobody.POST('/api/auth/reset', { body: { code, password: 'another horse' } })).response.status, 204)
  const refused = await nobody.POST('/api/auth/login', { body: { email, password: 'correct horse' } })
  t.match(refused, { response: { status: 401 }, error: { code: 'authentication_failed' } })
  const { data: again } = await nobody.POST('/api/auth/login', { body: { email, password: 'another horse' } })
  t.equal((await nobody.POST('/api/auth/logout', { body: { refresh_token: again!.refresh_token! } })).response.status, 204)
  t.match(await server.rest(again!).GET('/api/me'), { error: { code: 'authentication_failed' } })
})

t.test('me: the account, its logins, its export, its end', async t => {
  const dan = await server.register('dan')
  const asDan = server.rest(dan)
  t.same((await asDan.GET('/api/me')).data, dan.user)
  t.match((await asDan.PATCH('/api/me', { body: { name: 'Daniel' } })).data, { name: 'Daniel' })
  t.equal((await asDan.POST('/api/me/verification')).response.status, 204)
  const { data: other } = await nobody.POST('/api/auth/login', { body: { email: dan.email, password: dan.password } })
  const { data } = await asDan.GET('/api/me/logins', { params: { query: { limit: 10 } } })
  const later = data!.logins.find(({ current }) => !current)!
  t.equal(data!.logins.length, 2)
  t.equal((await asDan.DELETE('/api/me/logins/{id}', { params: { path: { id: later.id } } })).response.status, 204)
  t.equal((await server.rest(other!).GET('/api/me')).response.status, 401)
  t.equal((await asDan.DELETE('/api/me/logins')).response.status, 204)
  const exported = await asDan.GET('/api/me/export', { parseAs: 'text' })
  t.match(JSON.parse(exported.data!.split('\n')[0]!), { type: 'export', user_id: dan.user.id })
  t.equal((await asDan.DELETE('/api/me', { body: { password: dan.password } })).response.status, 204)
})

t.test('channels: create, change, list, invite, decline', async t => {
  const { data: made } = await asAnn.POST('/api/channels', { body: { ...room, channel_type: 'private', topic: 'tea' } })
  t.match(made, { ...room, channel_type: 'private', created_by: ann.user.id })
  t.match((await asAnn.PATCH('/api/channels/{name}', { params: path, body: { topic: 'cake' } })).data, { topic: 'cake' })
  t.match((await asAnn.GET('/api/channels/{name}', { params: path })).data, { ...room, topic: 'cake' })
  const { data: list } = await asAnn.GET('/api/channels', { params: { query: { joined: true } } })
  t.ok(list!.channels.some(({ name }) => name === room.name))
  for (const answer of ['declined', 'joined']) {
    const invited = await asAnn.PUT('/api/channels/{name}/members/{user_id}', { params: ofBen })
    t.equal(invited.response.status, 200, answer)
    const { data } = await asBen.GET('/api/me/invitations')
    t.match(data!.invitations, [{ channel: room.name, invited_by: ann.user.id }])
    if (answer === 'joined') break
    t.equal((await asBen.DELETE('/api/me/invitations/{name}', { params: path })).response.status, 204)
  }
  const tab = await server.login(ben)
  await tab.request({ type: 'join_channel', channel: room.name })
  const { data: members } = await asAnn.GET('/api/channels/{name}/members', { params: path })
  t.same(members!.members.map(({ user_id: id }) => id).sort(), [ann.user.id, ben.user.id].sort())
  const { data: online } = await asAnn.GET('/api/channels/{name}/online', { params: path })
  t.match(online, { users: [{ user_id: ben.user.id }], count: 1 })
})

t.test('messages: send, read, edit, react, report, search, delete', async t => {
  const sent = await asBen.POST('/api/channels/{name}/messages', { params: path, body: { message: 'green tea', data: { a: 1 } } })
  t.equal(sent.response.status, 201)
  const { id, seq } = sent.data!
  const one = { params: { path: { ...room, id } } }
  t.match((await asAnn.GET('/api/channels/{name}/messages/{id}', one)).data, { id, message: 'green tea', data: { a: 1 } })
  t.match((await asBen.PATCH('/api/channels/{name}/messages/{id}', { ...one, body: { message: 'black tea' } })).data, { id })
  const reaction = { params: { path: { ...room, id, reaction: '👍' } } }
  t.match((await asAnn.PUT('/api/channels/{name}/messages/{id}/reactions/{reaction}', reaction)).response.status, 200)
  const { data: history } = await asAnn.GET('/api/channels/{name}/messages', { params: { ...path, query: { limit: 5 } } })
  t.match(history!.messages, [{ id, message: 'black tea', reactions: [{ reaction: '👍', count: 1, user_ids: [ann.user.id] }] }])
  t.equal((await asAnn.DELETE('/api/channels/{name}/messages/{id}/reactions/{reaction}', reaction)).response.status, 204)
  t.same((await asAnn.PUT('/api/channels/{name}/read', { params: path, body: { seq } })).data, { channel: room.name, seq })
  t.equal((await asAnn.POST('/api/channels/{name}/signals', { params: path, body: { event: 'typing' } })).response.status, 204)

  await eventually(async () => (await asAnn.GET('/api/messages', { params: { query: { query: 'black' } } })).data?.messages.length === 1)
  t.match((await asRoot.GET('/api/admin/messages', { params: { query: { query: 'black' } } })).data!.messages, [{ id }])

  const filed = await asAnn.POST('/api/channels/{name}/messages/{id}/reports', { ...one, body: { reason: 'cold' } })
  t.equal(filed.response.status, 201)
  const { data: reports } = await asAnn.GET('/api/channels/{name}/reports', { params: { ...path, query: { status: 'open' } } })
  const [report] = reports!.reports
  const settled = await asAnn.PATCH('/api/channels/{name}/reports/{id}', {
    params: { path: { ...room, id: report!.id } }, body: { resolution: 'dismissed' }
  })
  t.match(settled.data, { message_id: id, resolution: 'dismissed', settled_by: ann.user.id })
  t.equal((await asBen.DELETE('/api/channels/{name}/messages/{id}', one)).response.status, 204)
})

t.test('moderation: mute, ban, appoint, kick, and the lists of each', async t => {
  t.equal((await asAnn.PUT('/api/channels/{name}/moderators/{user_id}', { params: ofBen })).response.status, 200)
  t.match((await asBen.GET('/api/channels/{name}/moderators', { params: path })).data!.moderators.length, 2)
  t.equal((await asAnn.DELETE('/api/channels/{name}/moderators/{user_id}', { params: ofBen })).response.status, 204)
  t.equal((await asAnn.PUT('/api/channels/{name}/mutes/{user_id}', { params: ofBen, body: { duration: 60 } })).response.status, 200)
  t.match((await asAnn.GET('/api/channels/{name}/mutes', { params: path })).data!.mutes, [{ user_id: ben.user.id }])
  const muted = await asBen.POST('/api/channels/{name}/messages', { params: path, body: { message: 'x' } })
  t.match(muted, { response: { status: 403 }, error: { code: 'muted', retry_after_ms: Number } })
  t.equal((await asAnn.DELETE('/api/channels/{name}/mutes/{user_id}', { params: ofBen })).response.status, 204)
  t.equal((await asAnn.DELETE('/api/channels/{name}/members/{user_id}', { params: ofBen })).response.status, 204)
  t.equal((await asAnn.PUT('/api/channels/{name}/bans/{user_id}', { params: ofBen, body: { reason: 'rude' } })).response.status, 200)
  t.match((await asAnn.GET('/api/channels/{name}/bans', { params: path })).data!.bans, [{ user_id: ben.user.id, reason: 'rude' }])
  t.equal((await asAnn.DELETE('/api/channels/{name}/bans/{user_id}', { params: ofBen })).response.status, 204)
  t.match((await asAnn.GET('/api/channels/{name}/log', { params: path })).data!.log[0], { actor_id: ann.user.id, target_id: ben.user.id })
})

t.test('people: find, write to each other, block', async t => {
  t.match((await asAnn.GET('/api/users', { params: { query: { query: 'ben' } } })).data!.users, [{ id: ben.user.id }])
  t.match((await asAnn.GET('/api/users/{id}', { params: { path: { id: ben.user.handle! } } })).data, { id: ben.user.id })
  const direct = await asAnn.POST('/api/directs', { body: { user_id: ben.user.id } })
  t.match(direct, { response: { status: 201 }, data: { channel_type: 'direct', peer: { user_id: ben.user.id } } })
  const peer = { params: { path: { user_id: ben.user.id } } }
  t.same((await asAnn.PUT('/api/me/blocks/{user_id}', peer)).data, { user_id: ben.user.id })
  t.match((await asAnn.GET('/api/me/blocks')).data!.blocks, [{ user_id: ben.user.id }])
  t.equal((await asAnn.DELETE('/api/me/blocks/{user_id}', peer)).response.status, 204)
})

t.test('admins: accounts, invitation codes, reports, announcements, the log', async t => {
  const eve = await server.register('eve')
  const one = { params: { path: { id: eve.user.id } } }
  t.match((await asRoot.GET('/api/admin/users', { params: { query: { query: eve.email } } })).data!.users, [{ id: eve.user.id }])
  t.match((await asRoot.PATCH('/api/admin/users/{id}', { ...one, body: { role: 'moderator' } })).data, { role: 'moderator' })
  t.match((await asRoot.POST('/api/admin/users/{id}/reset', one)).data, { code: String })
  t.equal((await asRoot.DELETE('/api/admin/users/{id}/connections', one)).response.status, 204)
  t.equal((await asRoot.DELETE('/api/admin/users/{id}', one)).response.status, 204)
  const { data: code } = await asRoot.POST('/api/admin/invitation-codes', { body: { uses: 1, channels: ['general'] } })
  t.match((await asRoot.GET('/api/admin/invitation-codes')).data!.invitation_codes, [{ id: code!.id, channels: ['general'] }])
  t.equal((await asRoot.DELETE('/api/admin/invitation-codes/{id}', { params: { path: { id: code!.id } } })).response.status, 204)

  const { name } = await rows.channel()
  await asBen.POST('/api/channels/{name}/messages', { params: { path: { name } }, body: { message: 'x' } })
  const { id: channelId } = (await asRoot.GET('/api/channels/{name}', { params: { path: { name } } })).data!
  const messageId = await rows.message({ id: channelId, name }, ben)
  const reportId = await rows.report({ id: channelId, name }, messageId, { author: ben, reporter: ann })
  t.ok((await asRoot.GET('/api/admin/reports')).data!.reports.some(({ id }) => id === reportId))
  const settled = await asRoot.PATCH('/api/admin/reports/{id}', { params: { path: { id: reportId } }, body: { resolution: 'removed' } })
  t.match(settled.data, { id: reportId, resolution: 'removed' })
  t.equal((await asRoot.POST('/api/admin/announcements', { body: { message: 'hello' } })).response.status, 204)
  t.ok((await asRoot.GET('/api/admin/log')).data!.log.length > 0)
  t.equal((await asAnn.DELETE('/api/channels/{name}', { params: path })).response.status, 204)
})

t.test('admins: the numbers and connections of the instance', async t => {
  await server.login(ben)
  const { data } = await asRoot.GET('/api/admin/connections', { params: { query: { user_id: ben.user.id } } })
  const [{ id } = { id: '' }] = data!.connections
  t.equal((await asRoot.DELETE('/api/admin/connections/{id}', { params: { path: { id } } })).response.status, 204)
  t.match((await asRoot.GET('/api/admin/stats')).data, { instance: String, database: { up: true } })
})

t.test('health', async t => {
  t.same((await nobody.GET('/healthz')).data, { status: 'ok' })
  t.same((await nobody.GET('/readyz')).data, { status: 'ready', database: 'up', bus: 'up' })
})

t.test('the tests of this file have called every operation of docs/openapi.json', async t => {
  t.same(operationIds.filter(id => !called.has(id)), [])
})

import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Frame } from '../client.ts'
import { startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const { prisma } = server.database
const rows = createRows(server.database)

const refused = (status: number, code: string) => ({ status, body: { statusCode: status, code } })

/** Creates a channel of ann's that ben has joined. */
async function arrange () {
  const [ann, ben] = [await server.enter('ann'), await server.enter('ben')]
  const name = `c-${randomUUID()}`
  const at = `/api/channels/${name}`
  await ann.request({ command: 'create_channel', name })
  await ben.request({ type: 'join_channel', channel: name })
  const id = ben.person.user.id
  const call = (method: string, path: string, body?: object) => server.call(method, at + path, { token: ann.person.access_token, body })
  const callAsBen = (method: string, path: string, body?: object) =>
    server.call(method, at + path, { token: ben.person.access_token, body })
  return { ann, ben, name, id, call, callAsBen }
}

/** Reads all pages of a list with `limit` 2. */
async function pages (call: (method: string, path: string) => ReturnType<typeof server.call>, path: string, key: string) {
  const found: Frame[][] = []
  let cursor = ''
  do {
    const { status, body } = await call('GET', `${path}?limit=2${cursor}`)
    if (status !== 200) throw new Error(`${path}: ${status}`)
    found.push(body[key])
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
  } while (cursor)
  return found
}

t.test('PUT of a member invites and DELETE of a member kicks; with one\'s own id they mean joining and leaving', async t => {
  const { ann, ben, name, id, call, callAsBen } = await arrange()
  t.match(await call('DELETE', `/members/${id}`), { status: 204, body: null })
  t.match(await ben.expect('kicked_from_channel'), { channel: name })
  t.match(await call('PUT', `/members/${id}`), { status: 200, body: { channel: name, user_id: id } })
  t.match(await ben.expect('invited_to_channel'), { channel: name, channel_type: 'public' })
  t.match(await callAsBen('PUT', `/members/${id.toUpperCase()}`, {}), { status: 200, body: { channel: name, user_id: id } })
  t.equal(await prisma.channelUser.count({ where: { userId: id } }), 1)
  t.equal(await prisma.channelInvite.count({ where: { userId: id } }), 0, 'joining uses up the invitation')
  const send = { type: 'send_message', channel: name, message: 'x' }
  t.equal((await ben.exchange(send)).code, 'not_in_channel', 'joining by REST does not subscribe')
  t.match(await callAsBen('POST', '/messages', { message: 'x' }), { status: 201 })
  t.match(await callAsBen('DELETE', `/members/${id}`), { status: 204 })
  t.match(await ben.expect('channel_left'), { channel: name })
  t.match(await callAsBen('DELETE', `/members/${id}`), { status: 204 }, 'leaving again has no effect')
  t.match(await callAsBen('PUT', `/members/${ann.person.user.id}`), refused(403, 'not_authorized'))
})

t.test('PUT of a ban takes an optional reason and duration, GET lists the bans in force, and DELETE ends one', async t => {
  const { ann, ben, name, id, call, callAsBen } = await arrange()
  t.same((await call('PUT', `/bans/${id}`)).body, { channel: name, user_id: id, reason: null, expires_at: null })
  t.match(await ben.expect('banned_from_channel'), { channel: name, reason: null, expires_at: null })
  const { status, body } = await call('PUT', `/bans/${id}`, { reason: 'spam', duration: 60 })
  t.match({ status, body }, { status: 200, body: { channel: name, user_id: id, reason: 'spam', expires_at: String } })
  t.match(await callAsBen('PUT', `/members/${id}`), refused(403, 'banned'))
  t.match(await call('PUT', `/members/${id}`), refused(403, 'banned'))
  const list = await call('GET', '/bans')
  t.same(list.body, {
    bans: [{
      user_id: id,
      username: 'ben',
      handle: ben.person.user.handle,
      reason: 'spam',
      banned_by: ann.person.user.id,
      expires_at: body.expires_at,
      created_at: list.body.bans[0].created_at
    }],
    next_cursor: null
  })
  await prisma.$executeRaw`UPDATE "ChannelBan" SET "expiresAt" = clock_timestamp() WHERE "userId" = ${id}::uuid`
  t.same((await call('GET', '/bans')).body, { bans: [], next_cursor: null }, 'an expired ban is not listed')
  await call('PUT', `/bans/${id}`)
  t.match(await call('DELETE', `/bans/${id}`), { status: 204, body: null })
  t.match(await ben.expect('unbanned_from_channel'), { channel: name })
  t.match(await call('DELETE', `/bans/${id}`), { status: 204 }, 'unbanning again has no effect')
})

t.test('PUT of a mute takes a duration, by default an hour, GET lists the mutes, and DELETE ends one', async t => {
  const { ann, ben, name, id, call } = await arrange()
  t.match((await call('PUT', `/mutes/${id}`)).body, { channel: name, user_id: id, duration: 3600, expires_at: String })
  const { body } = await call('PUT', `/mutes/${id}`, { duration: 60 })
  t.match(body, { duration: 60 })
  t.match(await ben.expect(frame => frame.duration === 60), { type: 'muted_in_channel', channel: name, expires_at: body.expires_at })
  t.match((await call('GET', '/mutes')).body, {
    mutes: [{ user_id: id, username: 'ben', muted_by: ann.person.user.id, expires_at: body.expires_at, created_at: String }],
    next_cursor: null
  })
  t.match(await call('DELETE', `/mutes/${id}`), { status: 204, body: null })
  t.match(await ben.expect('unmuted_in_channel'), { channel: name })
  t.same((await call('GET', '/mutes')).body, { mutes: [], next_cursor: null })
})

t.test('the creator may PUT and DELETE moderators, and every user may GET their list', async t => {
  const { ann, name, id, call, callAsBen } = await arrange()
  t.match(await callAsBen('PUT', `/moderators/${id}`), refused(403, 'not_authorized'))
  t.same((await call('PUT', `/moderators/${id}`)).body, { channel: name, user_id: id })
  t.same((await callAsBen('GET', '/moderators')).body.moderators.map(({ username }: Frame) => username).sort(), ['ann', 'ben'])
  t.match(await callAsBen('PUT', `/mutes/${ann.person.user.id}`), refused(403, 'not_authorized'), 'a moderator may not mute the creator')
  t.match(await call('DELETE', `/moderators/${id}`), { status: 204, body: null })
  t.match(await callAsBen('GET', '/mutes'), refused(403, 'not_authorized'))
})

t.test('lists are paged by user id and the log from newest to oldest; invalid cursors and limits are refused', async t => {
  const { call, name } = await arrange()
  const people = Array.from({ length: 5 }, () => uuidv7())
  await prisma.user.createMany({ data: people.map(id => ({ id, email: `${id}@example.org`, name: 'someone' })) })
  for (const id of people) for (const path of ['mutes', 'moderators', 'bans']) await call('PUT', `/${path}/${id}`)
  for (const path of ['bans', 'mutes']) {
    const found = await pages(call, `/${path}`, path)
    t.same(found.map(page => page.map(row => row.user_id)), [people.slice(0, 2), people.slice(2, 4), people.slice(4)], path)
  }
  t.same((await pages(call, '/moderators', 'moderators')).flat().length, 1, 'the bans ended the places of the other moderators')
  const log = (await pages(call, '/log', 'log')).flat()
  t.equal(log.length, 15)
  t.same(log.map(({ id }) => id), log.map(({ id }) => id).toSorted().reverse(), 'newest first')
  t.match(log[0], {
    actor_id: String,
    action: 'ban_user',
    target_id: people[4],
    channel: name,
    channel_id: String,
    reason: null,
    expires_at: null,
    created_at: String
  })
  for (const path of ['/bans', '/mutes', '/moderators', '/log']) {
    for (const query of ['limit=0', 'limit=101', 'limit=-1', 'limit=x', 'cursor=', 'cursor=%00', 'cursor=bm9uZQ', 'page=1']) {
      t.match(await call('GET', `${path}?${query}`), refused(400, 'invalid_request'), `${path}?${query}`)
    }
  }
})

t.test('unknown ids, invalid bodies and missing tokens are refused', async t => {
  const { call, id } = await arrange()
  for (const path of ['members', 'bans', 'mutes', 'moderators']) {
    t.match(await call('PUT', `/${path}/nobody`), refused(404, 'user_not_found'), path)
    t.match(await call('PUT', `/${path}/${randomUUID()}`), refused(404, 'user_not_found'))
    t.match(await call('PUT', `/${path}/${id}`, { unknown: 1 }), refused(400, 'invalid_request'))
    t.match(await call('PUT', `/${path}/${id}`, []), refused(400, 'invalid_request'))
    t.match(await server.call('PUT', `/api/channels/${randomUUID()}/${path}/${id}`), refused(401, 'not_authenticated'))
  }
  for (const duration of [0, -1, 1.5, 1e12, '60', null]) {
    for (const path of ['bans', 'mutes']) {
      t.match(await call('PUT', `/${path}/${id}`, { duration }), refused(400, 'invalid_request'), `${path} ${duration}`)
    }
  }
  for (const reason of [7, 'a\0', 'x'.repeat(501)]) t.match(await call('PUT', `/bans/${id}`, { reason }), refused(400, 'invalid_request'))
})

t.test('[P34] PATCH edits and DELETE deletes a message', async t => {
  const { ann, ben, name, call, callAsBen } = await arrange()
  const { body: { id } } = await callAsBen('POST', '/messages', { message: 'first' })
  const { status, body } = await callAsBen('PATCH', `/messages/${id}`, { message: 'better' })
  t.match({ status, body }, { status: 200, body: { channel: name, id, seq: 2, timestamp: String } })
  t.match(await ben.expect('message_edited'), { id, seq: 2, message: 'better' })
  t.match(await call('PATCH', `/messages/${id}`, { message: 'mine' }), refused(403, 'not_authorized'))
  for (const message of ['', '\n', null]) {
    t.match(await callAsBen('PATCH', `/messages/${id}`, { message }), refused(400, 'message_required'))
  }
  t.match(await callAsBen('PATCH', `/messages/${id}`, { message: 'x'.repeat(4001) }), refused(400, 'message_too_long'))
  t.match(await callAsBen('PATCH', `/messages/${id}`, { message: 'x', seq: 1 }), refused(400, 'invalid_request'))
  t.match(await callAsBen('PATCH', '/messages/none', { message: 'x' }), refused(404, 'message_not_found'))
  await call('PUT', `/mutes/${ben.person.user.id}`, { duration: 60 })
  const muted = await callAsBen('PATCH', `/messages/${id}`, { message: 'x' })
  t.match(muted, refused(403, 'muted'))
  t.match(muted.headers.get('retry-after'), /^[1-9]\d$/)
  t.match(await call('DELETE', `/messages/${id}`), { status: 204, body: null })
  t.match(await ben.expect('message_deleted'), { id, seq: 3, user_id: ann.person.user.id })
  t.match(await call('DELETE', `/messages/${id}`), refused(404, 'message_not_found'))
  t.match((await call('GET', '/messages')).body, { last_seq: 3, messages: [{ id, message: null, deleted: true, edited_at: String }] })
})

t.test('[P18] [P20] PATCH of the type ends memberships and subscriptions of users whose role does not fit, and tells them', async t => {
  const { ann, ben, name, call } = await arrange()
  const [mod, boss] = [await server.enter('mod'), await server.enter('boss')]
  await rows.role(mod, 'moderator')
  await rows.role(boss, 'admin')
  for (const client of [ann, mod, boss]) await client.request({ type: 'join_channel', channel: name })
  t.match(await call('PATCH', '', { channel_type: 'moderator' }), refused(403, 'not_authorized'), 'only admins may set this type')
  const patch = (type: string) =>
    server.call('PATCH', `/api/channels/${name}`, { token: boss.person.access_token, body: { channel_type: type } })
  t.match(await patch('moderator'), { status: 200, body: { name, channel_type: 'moderator', user_count: 2 } })
  for (const client of [ann, ben]) {
    t.match(await client.expect('kicked_from_channel'), { channel: name })
    t.equal((await client.exchange({ type: 'send_message', channel: name, message: 'x' })).code, 'not_in_channel')
  }
  t.match(await patch('admin'), { status: 200, body: { channel_type: 'admin', user_count: 1 } })
  t.match(await mod.expect('kicked_from_channel'), { channel: name })
  await boss.request({ type: 'send_message', channel: name, message: 'alone' })
  for (const client of [ann, ben, mod]) t.notOk((await client.settle()).some(({ type }) => type === 'message'))
  t.match(await call('PATCH', '', { channel_type: 'public' }), refused(403, 'not_authorized'), 'the creator may not even join it')
  t.match(await patch('public'), { status: 200, body: { channel_type: 'public' } })
  await ann.request({ type: 'join_channel', channel: name })
})

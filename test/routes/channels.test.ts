import { randomUUID } from 'node:crypto'
import { eventually } from '../eventually.ts'
import { startServer, type Person } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t, type Test } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)
const [ann, ben, admin] = [await server.register('ann'), await server.register('ben'), await server.register('admin')]
await rows.role(admin, 'admin')

const call = (method: string, path: string, person: Person | null, body?: object) =>
  server.call(method, path, { token: person?.access_token, body })

interface Answer { status: number, body: unknown }

function refused (t: Test, { status, body }: Answer, expected: number, error: string, code: string, message: string | RegExp): void {
  t.match({ status, body }, { status: expected, body: { statusCode: expected, error, code, message } }, `${expected} ${code}`)
  t.same(Object.keys(body as object).sort(), ['code', 'error', 'message', 'statusCode'])
}

t.test('[P17] POST creates a channel, and the user becomes its creator, a member and a moderator', async t => {
  const { status, body } = await call('POST', '/api/channels', ann, { name: 'made', channel_type: 'private' })
  t.equal(status, 201)
  t.same(Object.keys(body), [
    'id', 'name', 'channel_type', 'created_by', 'created_at', 'user_count', 'last_seq', 'topic', 'slow_mode', 'retention'
  ])
  t.match(body, { name: 'made', channel_type: 'private', created_by: ann.user.id, user_count: 1, last_seq: 0 })
  t.equal(new Date(body.created_at).toISOString(), body.created_at)
  t.same((await call('GET', '/api/channels/made', ann)).body, body)
  t.equal(await server.database.prisma.channelModerator.count({ where: { channelId: body.id, userId: ann.user.id } }), 1)
  t.equal((await call('POST', '/api/channels', ann, { name: 'plain' })).body.channel_type, 'public', 'channels are public by default')
})

t.test('[P18] POST refuses names and types that are not allowed', async t => {
  const bodies: Array<[object, number, string, string, string | RegExp]> = [
    [{ name: 'made2', channel_type: 'secret' }, 400, 'Bad Request', 'invalid_channel_type', 'Invalid channel type'],
    [{ name: 'Made' }, 400, 'Bad Request', 'invalid_channel_name', 'Invalid channel name'],
    [{ name: 'x'.repeat(65) }, 400, 'Bad Request', 'invalid_channel_name', 'Invalid channel name'],
    [{ name: 'a\0b' }, 400, 'Bad Request', 'invalid_channel_name', 'Invalid channel name'],
    [{}, 400, 'Bad Request', 'channel_required', 'Channel name required'],
    [{ name: ' ' }, 400, 'Bad Request', 'channel_required', 'Channel name required'],
    [{ name: 1 }, 400, 'Bad Request', 'invalid_request', /^Invalid request: name: /],
    [{ name: 'made2', channel_type: 1 }, 400, 'Bad Request', 'invalid_request', /^Invalid request: channel_type: /],
    [{ name: 'made2', channel_type: null }, 400, 'Bad Request', 'invalid_request', /^Invalid request: channel_type: /],
    [{ name: 'made2', extra: 1 }, 400, 'Bad Request', 'invalid_request', /^Invalid request: extra: /],
    [{ name: 'general' }, 409, 'Conflict', 'channel_exists', 'Channel already exists'],
    [{ name: 'made2', channel_type: 'admin' }, 403, 'Forbidden', 'not_authorized', 'Not authorized'],
    [{ name: 'made2', channel_type: 'moderator' }, 403, 'Forbidden', 'not_authorized', 'Not authorized'],
    [{ name: 'admin-made' }, 403, 'Forbidden', 'not_authorized', 'Not authorized'],
    [{ name: 'moderator-made', channel_type: 'private' }, 403, 'Forbidden', 'not_authorized', 'Not authorized']
  ]
  for (const [body, ...expected] of bodies) refused(t, await call('POST', '/api/channels', ann, body), ...expected)
  refused(t, await call('POST', '/api/channels', admin, { name: 'admin-made' }), 403, 'Forbidden', 'not_authorized', 'Not authorized')
  const made = await call('POST', '/api/channels', admin, { name: 'admin-made', channel_type: 'admin' })
  t.match(made, { status: 201, body: { channel_type: 'admin' } })
  t.equal(await server.database.prisma.channel.count({ where: { name: { in: ['made2', 'moderator-made'] } } }), 0)
})

t.test('[P17] when 20 users create the same channel at once, one succeeds and all others get 409', async t => {
  const people = await Promise.all(Array.from({ length: 20 }, () => server.register()))
  const replies = await Promise.all(people.map(person => call('POST', '/api/channels', person, { name: 'wanted' })))
  t.same(replies.map(({ status }) => status).sort(), [201, ...Array<number>(19).fill(409)])
})

t.test('[P12] every route of channels requires a bearer token', async t => {
  const calls: Array<[string, string, object?]> = [
    ['GET', '/api/channels'], ['POST', '/api/channels', { name: 'x' }], ['GET', '/api/channels/general'],
    ['PATCH', '/api/channels/general', { channel_type: 'private' }], ['DELETE', '/api/channels/general'],
    ['GET', '/api/channels/general/messages'], ['POST', '/api/channels/general/messages', { message: 'x' }],
    ['GET', '/api/channels/general/members'], ['GET', '/api/channels/general/online']
  ]
  for (const [method, path, body] of calls) {
    refused(t, await call(method, path, null, body), 401, 'Unauthorized', 'not_authenticated', 'Not authenticated')
    const bad = await server.call(method, path, { token: 'x.y.z', body })
    refused(t, bad, 401, 'Unauthorized', 'authentication_failed', 'Authentication failed')
  }
})

t.test('[P19] GET lists the channels that are visible to the user in pages by name, each channel once', async t => {
  const mark = `page-${randomUUID().slice(0, 8)}`
  const names = Array.from({ length: 7 }, (_, i) => `${mark}-${i}`)
  for (const name of names) await rows.channel('public', { name })
  await rows.channel('private', { name: `${mark}-3-hidden` })
  const found: string[] = []
  let cursor = ''
  let pages = 0
  do {
    const { status, body } = await call('GET', `/api/channels?limit=3${cursor && `&cursor=${cursor}`}`, ben)
    t.equal(status, 200)
    t.ok(body.channels.length === 3 || body.next_cursor === null)
    found.push(...body.channels.map(({ name }: { name: string }) => name))
    cursor = body.next_cursor
    pages++
  } while (cursor)
  t.ok(pages > 2)
  t.same(found, [...new Set(found)].sort(), 'in order, without duplicates')
  t.same(found.filter(name => name.startsWith(mark)), names)

  t.comment('the last page has no next_cursor')
  const { body: all } = await call('GET', `/api/channels?limit=${found.length}`, ben)
  t.match(all, { next_cursor: null, channels: { length: found.length } })
})

t.test('[P19] GET can list the channels of one type', async t => {
  await rows.channel('moderator', { name: 'moderator-typed' })
  for (const type of ['public', 'private', 'admin', 'moderator']) {
    const { body } = await call('GET', `/api/channels?limit=100&type=${type}`, ann)
    t.ok(body.channels.length > 0, type)
    t.ok(body.channels.every(({ channel_type: found }: { channel_type: string }) => found === type), type)
  }
  refused(t, await call('GET', '/api/channels?type=secret', ann), 400, 'Bad Request', 'invalid_channel_type', 'Invalid channel type')
})

t.test('the creator and admins may PATCH the type, within the rules of [P18]', async t => {
  await call('POST', '/api/channels', ann, { name: 'typed' })
  const patch = (person: Person, body: object) => call('PATCH', '/api/channels/typed', person, body)
  refused(t, await patch(ben, { channel_type: 'private' }), 403, 'Forbidden', 'not_authorized', 'Not authorized')
  refused(t, await patch(ann, { channel_type: 'admin' }), 403, 'Forbidden', 'not_authorized', 'Not authorized')
  refused(t, await patch(ann, { channel_type: 'secret' }), 400, 'Bad Request', 'invalid_channel_type', 'Invalid channel type')
  refused(t, await patch(ann, {}), 400, 'Bad Request', 'invalid_request', /^Invalid request: expected one of channel_type/)
  refused(t, await patch(ann, { channel_type: 'private', name: 'x' }), 400, 'Bad Request', 'invalid_request', /^Invalid request: name: /)
  t.match(await patch(ann, { channel_type: 'private' }), { status: 200, body: { name: 'typed', channel_type: 'private', user_count: 1 } })
  refused(t, await call('GET', '/api/channels/typed', ben), 404, 'Not Found', 'channel_not_found', 'Channel not found')
  t.match(await patch(admin, { channel_type: 'public' }), { status: 200, body: { channel_type: 'public' } })
  const fixed = await call('PATCH', '/api/channels/admin-made', admin, { channel_type: 'public' })
  refused(t, fixed, 403, 'Forbidden', 'not_authorized', 'Not authorized')
})

t.test('[P18] [P20] PATCH ends memberships and subscriptions of users whose role does not allow the new type', async t => {
  const user = await server.enter('user', 'changing')
  const boss = await server.login(admin)
  await boss.request({ type: 'join_channel', channel: 'changing' })
  const { body } = await call('PATCH', '/api/channels/changing', admin, { channel_type: 'admin' })
  t.match(body, { channel_type: 'admin', user_count: 1 })
  t.match(await user.expect('kicked_from_channel'), { channel: 'changing' })
  t.equal((await user.exchange({ type: 'send_message', channel: 'changing', message: 'x' })).code, 'not_in_channel')
  await boss.request({ type: 'send_message', channel: 'changing', message: 'among us' })
  await user.settle()
  t.notOk(user.inbox.some(({ type }) => type === 'message'))
  await eventually(async () => (await boss.request({ type: 'user_list', channel: 'changing' })).count === 1)
})

t.test('[P19] PATCH to private keeps all members', async t => {
  const user = await server.enter('user', 'closing')
  const member = await server.enter('member', 'closing')
  t.equal((await call('PATCH', '/api/channels/closing', user.person, { channel_type: 'private' })).body.user_count, 2)
  await user.request({ type: 'send_message', channel: 'closing', message: 'still here' })
  t.equal((await member.expect('message')).message, 'still here')
})

t.test('[P24] the creator and admins may DELETE a channel, and the name is free afterwards', async t => {
  await call('POST', '/api/channels', ann, { name: 'gone' })
  refused(t, await call('DELETE', '/api/channels/gone', ben), 403, 'Forbidden', 'not_authorized', 'Not authorized')
  t.match(await call('DELETE', '/api/channels/gone', ann), { status: 204, body: null })
  for (const method of ['GET', 'DELETE']) {
    refused(t, await call(method, '/api/channels/gone', ann), 404, 'Not Found', 'channel_not_found', 'Channel not found')
  }
  t.equal((await call('POST', '/api/channels', ben, { name: 'gone' })).status, 201)
  t.match(await call('DELETE', '/api/channels/gone', admin), { status: 204, body: null })
})

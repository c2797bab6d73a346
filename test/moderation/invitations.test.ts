import type { Frame } from '../client.ts'
import { failure, startServer, type ConfigChange, type Person, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createScene, some } from './scene.ts'

const server = await startServer(t)
const { arrange, log } = createScene(server)

const decline = (channel: string) => ({ type: 'command', command: 'decline_invitation', channel })
const list = async (at: Server, person: Person, query = ''): Promise<Frame> =>
  (await at.call('GET', `/api/me/invitations${query}`, { token: person.access_token })).body

/** Starts a server with ben and `count` inviters. Each inviter has a channel and invites ben to it. */
async function crowd (t: Parameters<typeof startServer>[0], count: number, config: ConfigChange) {
  const server = await startServer(t, { config })
  const ben = await server.enter('ben')
  const inviters = await Promise.all(Array.from({ length: count }, async () => {
    const ann = await server.enter('ann')
    const channel = some()
    await ann.request({ command: 'create_channel', name: channel })
    return (): Promise<Frame> => ann.exchange({ command: 'invite_user', channel, user_id: ben.person.user.id })
  }))
  const invitations = async (): Promise<number> => (await ben.settle()).filter(({ type }) => type === 'invited_to_channel').length
  return { server, ben, inviters, invitations }
}

t.test('[P57] decline_invitation ends an invitation: a private channel is invisible again until another invitation comes', async t => {
  const { ben, name, command } = await arrange('private')
  await command('invite_user')
  t.match(await server.call('GET', `/api/channels/${name}`, { token: ben.person.access_token }), { status: 200 })
  t.same(await ben.exchange(decline(name)), { type: 'success', action: 'invitation_declined', data: { channel: name } })
  t.same(await list(server, ben.person), { invitations: [], next_cursor: null })
  t.same(await ben.exchange({ type: 'join_channel', channel: name }), failure('channel_not_found'))
  t.notOk((await ben.request({ type: 'channel_list', limit: 100 })).channels.some((channel: Frame) => channel.name === name))
  t.same(await ben.exchange(decline(name)), failure('channel_not_found'), 'already declined')
  await ben.expect('invited_to_channel')

  await command('kick_user')
  t.notOk((await ben.settle()).some(({ type }) => type === 'kicked_from_channel'), 'a kick without an invitation has no effect')
  t.same((await log(name)).map(({ action }) => action), ['invite_user'])

  t.match(await command('invite_user'), { action: 'user_invited' })
  t.match(await ben.expect('invited_to_channel'), { channel: name })
  t.match(await ben.exchange({ type: 'join_channel', channel: name }), { action: 'channel_joined' })
})

t.test('[P19] [P57] declining without an invitation has no effect and does not reveal whether a private channel exists', async t => {
  const { ben, name } = await arrange('public')
  const { name: hidden } = await arrange('private')
  t.match(await ben.exchange(decline(name)), { action: 'invitation_declined', data: { channel: name } })
  t.match(await ben.exchange({ type: 'send_message', channel: name, message: 'still a member' }), { action: 'message_sent' })
  const absent = await ben.exchange(decline(some()))
  t.same(absent, failure('channel_not_found'))
  t.same(await ben.exchange(decline(hidden)), absent)
  t.equal((await ben.exchange({ command: 'decline_invitation' })).code, 'channel_required')
  t.equal((await ben.exchange(decline('No Name'))).code, 'invalid_channel_name')
  t.equal((await ben.exchange({ ...decline(name), channel: 7 })).code, 'invalid_frame')
})

t.test('[P57] GET /api/me/invitations lists invitations in pages by channel name, and DELETE declines one', async t => {
  const { ann, ben, id } = await arrange()
  const names = Array.from({ length: 5 }, some).sort()
  for (const [i, name] of names.entries()) {
    await ann.request({ command: 'create_channel', name, channel_type: i % 2 === 0 ? 'private' : 'public' })
    await ann.request({ command: 'invite_user', channel: name, user_id: id })
  }
  const pages: Frame[] = [await list(server, ben.person, '?limit=2')]
  while (pages.at(-1)!.next_cursor !== null) pages.push(await list(server, ben.person, `?limit=2&cursor=${pages.at(-1)!.next_cursor}`))
  const listed = pages.map(({ invitations }) => invitations.map(({ channel }: Frame) => channel))
  t.same(listed, [names.slice(0, 2), names.slice(2, 4), names.slice(4)])
  const [first] = pages[0]!.invitations
  t.match(first, {
    channel: names[0], channel_id: String, channel_type: 'private', invited_by: ann.person.user.id, username: 'ann', created_at: /^\d.+Z$/
  })
  t.same(Object.keys(first), ['channel', 'channel_id', 'channel_type', 'invited_by', 'username', 'handle', 'created_at'])
  t.same((await list(server, ann.person)).invitations, [], 'each user sees only their own')

  const remove = (name: string, token?: string) => server.call('DELETE', `/api/me/invitations/${name}`, { token })
  t.match(await remove(names[0]!, ben.person.access_token), { status: 204, body: null })
  t.match(await remove(names[0]!, ben.person.access_token), { status: 404, body: { code: 'channel_not_found' } })
  t.match(await remove(names[1]!, ben.person.access_token), { status: 204 })
  t.match(await remove(names[1]!, ben.person.access_token), { status: 204 }, 'declining again in a public channel has no effect')
  t.match(await remove('No%20Name', ben.person.access_token), { status: 400, body: { code: 'invalid_channel_name' } })
  t.match(await remove(names[2]!), { status: 401 })
  for (const query of ['?limit=0', '?limit=101', '?limit=x', '?cursor=', '?cursor=bm8gbmFtZQ', '?page=1']) {
    const { status, body } = await server.call('GET', `/api/me/invitations${query}`, { token: ben.person.access_token })
    t.match({ status, body }, { status: 400, body: { code: 'invalid_request' } }, query)
  }
  t.same((await list(server, ben.person)).invitations.map(({ channel }: Frame) => channel), names.slice(2))
  await ben.request({ type: 'join_channel', channel: names[2] })
  t.equal((await list(server, ben.person)).invitations.length, 2, 'joining uses up the invitation')
  t.match(await server.call('DELETE', `/api/channels/${names[3]}`, { token: ann.person.access_token }), { status: 204 })
  t.equal((await list(server, ben.person)).invitations.length, 1, 'deleting the channel ends the invitation')
})

t.test('[P57] the invitations per minute to one user are limited over all inviters together, also when invitations end', async t => {
  const { server: own, ben, inviters, invitations } = await crowd(t, 6, { limits: { user_invitations: 4 } })
  const replies = await Promise.all(inviters.map(invite => invite()))
  t.equal(replies.filter(({ action }) => action === 'user_invited').length, 4)
  const { retry_after_ms: wait, ...refused } = replies.find(({ type }) => type === 'error')!
  t.same(refused, failure('rate_limited'))
  t.ok(wait > 0 && wait <= 60_000, `${wait}`)
  const [first] = (await list(own, ben.person)).invitations
  for (const { channel } of (await list(own, ben.person)).invitations) await ben.request(decline(channel))
  await own.database.prisma.channel.delete({ where: { name: first.channel } })
  t.equal((await inviters[replies.findIndex(({ type }) => type === 'error')]!()).code, 'rate_limited', 'declining makes no room')
  t.equal(await invitations(), 4)

  await own.database.prisma.$executeRaw`UPDATE "ModerationLog" SET "createdAt" = "createdAt" - interval '1 minute'`
  t.match(await inviters[replies.findIndex(({ type }) => type === 'error')]!(), { action: 'user_invited' }, 'a minute later there is room')
})

t.test('[P57] inviting in turns with kicks or declines is limited too: one inviter has a quarter, and others may still invite', async t => {
  for (const end of ['kick', 'decline']) {
    const { ben, name, id, command } = await arrange('private')
    const codes = []
    for (let n = 0; n < 30; n++) {
      codes.push((await command('invite_user')).code)
      if (end === 'kick') await command('kick_user')
      else await ben.exchange(decline(name))
    }
    t.same(codes, [...Array(10).fill(undefined), ...Array(20).fill('rate_limited')])
    const notices = (await ben.settle()).filter(({ type }) => type === 'invited_to_channel' || type === 'kicked_from_channel')
    t.equal(notices.length, end === 'kick' ? 20 : 10)

    const eve = await server.enter('eve')
    const another = some()
    await eve.request({ command: 'create_channel', name: another })
    t.match(await eve.exchange({ command: 'invite_user', channel: another, user_id: id }), { action: 'user_invited' })
  }
})

t.test('[P57] at most limits.user_pending_invitations are pending, also with many inviters at once; declining makes room', async t => {
  const { server: own, ben, inviters, invitations } = await crowd(t, 8, { limits: { user_pending_invitations: 3 } })
  const replies = await Promise.all(inviters.map(invite => invite()))
  t.equal(replies.filter(({ action }) => action === 'user_invited').length, 3)
  t.same(replies.find(({ type }) => type === 'error'), failure('too_many_invitations'))
  t.equal(await invitations(), 3)
  const again = await Promise.all(inviters.map(invite => invite()))
  t.equal(again.filter(({ action }) => action === 'user_invited').length, 3, 'inviting an invited user again has no effect')
  t.equal(await invitations(), 3)
  await ben.request(decline((await list(own, ben.person)).invitations[0].channel))
  const last = await Promise.all(inviters.map(invite => invite()))
  t.equal(last.filter(({ action }) => action === 'user_invited').length, 3)
  t.equal(await invitations(), 4)
})

t.test('[P57] one inviter has at most a quarter of the pending invitations, over all their channels, by REST too', async t => {
  const own = await startServer(t, { config: { limits: { user_pending_invitations: 12 } } })
  const [ann, ben] = [await own.enter('ann'), await own.enter('ben')]
  const invite = async (): Promise<{ status: number, body: Frame }> => {
    const channel = some()
    await ann.request({ command: 'create_channel', name: channel })
    return own.call('PUT', `/api/channels/${channel}/members/${ben.person.user.id}`, { token: ann.person.access_token })
  }
  const replies = []
  for (let n = 0; n < 5; n++) replies.push(await invite())
  t.same(replies.map(({ status }) => status), [200, 200, 200, 409, 409])
  t.match(replies.at(-1)!.body, { code: 'too_many_invitations', message: 'Maximum invitations per user exceeded' })
})

t.test('[P57] with limits switched off a user can be invited any number of times', async t => {
  const { server: own, ben, inviters, invitations } = await crowd(t, 1, { limits: { enabled: false } })
  for (let n = 0; n < 50; n++) {
    t.match(await inviters[0]!(), { action: 'user_invited' })
    await ben.request(decline((await list(own, ben.person)).invitations[0].channel))
  }
  t.equal(await invitations(), 50)
})

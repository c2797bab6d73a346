import type { Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { isCounting, settings } from '../cluster/settings.ts'
import { banned, failure, startServer, type Server } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const beside = { authentication: { guests: true } }
// Tests that need no settings of their own share these servers, one for each way to admit guests. Each test has its own channels.
const together = await startServer(t, { config: beside })
const modes: Record<string, Server> = {
  'instead of users': await startServer(t, { config: { authentication: { enabled: false } } }),
  'beside users': together
}

async function enter (server: Server, ...channels: string[]): Promise<Client & { id: string, name: string }> {
  const client = await server.connect()
  const { data } = await client.request({ type: 'authenticate' })
  for (const channel of channels) await client.request({ type: 'join_channel', channel })
  return Object.assign(client, { id: data.user_id, name: data.username })
}

for (const [name, server] of Object.entries(modes)) {
  t.test(`[P16] guests ${name}: authenticate without a token makes the connection a guest`, async t => {
    const client = await server.connect()
    t.same(await client.exchange({ type: 'channel_list' }), failure('not_authenticated'))
    for (const token of ['', ' \n']) t.same(await client.exchange({ type: 'authenticate', token }), failure('token_required'))
    t.match(await client.exchange({ type: 'authenticate', token: 5 }), { code: 'invalid_frame' })
    t.same(await client.exchange({ type: 'authenticate', token: 'wrong' }), failure('authentication_failed'))
    const reply = await client.exchange({ type: 'authenticate' })
    t.match(reply, {
      type: 'success',
      action: 'authenticated',
      data: { user_id: /^[0-9a-f-]{36}$/, username: /^guest-[0-9a-z]{6}$/, handle: null, email: null, role: 'user', expires_at: null }
    })
    t.same((await client.exchange({ type: 'authenticate', token: null })).data, reply.data, 'a second authenticate keeps the guest')

    const user = await server.database.prisma.user.findUniqueOrThrow({ where: { id: reply.data.user_id } })
    t.match(user, { email: null, passwordHash: null, role: 'user', name: reply.data.username })
  })

  t.test(`[P16] guests ${name}: they can send and receive messages in public channels`, async t => {
    const [one, two] = [await enter(server, 'talk'), await enter(server, 'talk')]
    t.not(one.id, two.id)
    await one.request({ type: 'send_message', channel: 'talk', message: 'hello' })
    t.match(await two.expect('message'), { user_id: one.id, username: one.name, message: 'hello' })
    t.match(await two.request({ type: 'user_list', channel: 'talk' }), { count: 2 })
  })

  t.test(`[P16] guests ${name}: they see no private channel, even with an invitation, and join none for moderators or admins`, async t => {
    const ann = await server.register('ann')
    const body = { name: 'secret', channel_type: 'private' }
    const { body: { id: channelId } } = await server.call('POST', '/api/channels', { token: ann.access_token, body })
    const guest = await enter(server)
    await server.database.prisma.channelInvite.create({ data: { channelId, userId: guest.id, invitedBy: ann.user.id } })
    t.same(await guest.exchange({ type: 'join_channel', channel: 'secret' }), failure('channel_not_found'))
    t.same(await guest.exchange({ type: 'user_list', channel: 'secret' }), failure('channel_not_found'))
    t.notOk((await guest.request({ type: 'channel_list' })).channels.some(({ name }: { name: string }) => name === 'secret'))
    for (const channel of ['admin-room', 'moderator-room']) {
      t.equal((await guest.exchange({ type: 'join_channel', channel })).type, 'error', channel)
    }
  })

  t.test(`[P16] guests ${name}: a guest's memberships end with the connection`, async t => {
    const { prisma } = server.database
    const [one, two] = [await enter(server, 'short', 'other'), await enter(server, 'short')]
    t.equal(await prisma.channelUser.count({ where: { userId: one.id } }), 2)
    one.socket.terminate()
    t.match(await two.expect('user_left'), { user_id: one.id })
    await eventually(async () => await prisma.channelUser.count({ where: { userId: one.id } }) === 0)
    t.match(await prisma.channel.findUnique({ where: { name: 'short' } }), { userCount: 1 })
    t.match(await prisma.user.findUnique({ where: { id: one.id } }), { disabledAt: Date })
    await two.settle()
  })

  t.test(`[P13] [P16] guests ${name}: a token still authenticates a user, and no connection changes between the two`, async t => {
    const ann = await server.register('ann')
    const user = await server.login(ann)
    t.same(await user.exchange({ type: 'authenticate' }), failure('not_authorized'))
    const guest = await enter(server)
    t.same(await guest.exchange({ type: 'authenticate', token: ann.access_token }), failure('not_authorized'))
    t.match(await guest.request({ type: 'channel_list' }), { type: 'channel_list' })
  })
}

t.test('[P12] by default there are no guests', async t => {
  const server = await startServer(t)
  t.same(await (await server.connect()).exchange({ type: 'authenticate' }), failure('token_required'))
})

t.test('[P12] [P16] a bad token never makes a guest: expired, revoked, disabled or foreign', async t => {
  const { prisma } = together.database
  const [gone, off] = [await together.register('gone'), await together.register('off')]
  await together.call('POST', '/api/auth/logout', { body: { refresh_token: gone.refresh_token } })
  await prisma.user.update({ where: { id: off.user.id }, data: { disabledAt: new Date() } })
  const claims = { typ: 'access' as const, sid: off.user.id, iat: 1, exp: 2 }
  const expired = together.app.accessTokens.sign({ ...claims, user_id: off.user.id, email: null })
  const users = await prisma.user.count()
  const client = await together.connect()
  for (const token of [gone.access_token, off.access_token, expired, gone.refresh_token, 'a.b.c', 'null', '\0']) {
    t.same(await client.exchange({ type: 'authenticate', token }), failure('authentication_failed'), token.slice(0, 12))
  }
  t.same(await client.exchange({ type: 'channel_list' }), failure('not_authenticated'))
  t.equal(await prisma.user.count(), users, 'nobody was made')
})

t.test('[P16] guests and users talk in the same public channel, guests have no commands, and moderators may ban them', async t => {
  const ann = await together.enter('ann')
  await createRows(together.database).role(ann.person, 'admin')
  await ann.request({ type: 'join_channel', channel: 'general' })
  const guest = await enter(together, 'general')
  await guest.request({ type: 'send_message', channel: 'general', message: 'hello' })
  t.match(await ann.expect('message'), { user_id: guest.id, username: guest.name, message: 'hello' })
  await ann.request({ type: 'send_message', channel: 'general', message: 'welcome' })
  t.match(await guest.expect(frame => frame.type === 'message' && frame.user_id === ann.person.user.id), { message: 'welcome' })
  const kick = { command: 'kick_user', channel: 'general', user_id: ann.person.user.id }
  for (const frame of [{ command: 'create_channel', name: 'mine' }, kick]) {
    t.same(await guest.exchange(frame), failure('not_authorized'), frame.command)
  }
  t.equal((await ann.request({ command: 'ban_user', channel: 'general', user_id: guest.id })).action, 'user_banned')
  t.match(await guest.expect('banned_from_channel'), { channel: 'general' })
  t.same(await guest.exchange({ type: 'join_channel', channel: 'general' }), banned())
})

t.test('[P47] [P48] guests neither open a direct channel nor are its peer, and neither block nor are blocked', async t => {
  const ann = await together.enter('ann')
  const guest = await enter(together)
  for (const type of ['open_direct', 'block_user', 'unblock_user']) {
    t.same(await guest.exchange({ type, user_id: ann.person.user.id }), failure('not_authorized'), type)
    t.same(await ann.exchange({ type, user_id: guest.id }), failure('user_not_found'), type)
  }
  t.equal(await together.database.prisma.directPeer.count() + await together.database.prisma.userBlock.count(), 0)
})

t.test('[P16] [P64] guests are admitted where registration is closed or by invitation, and register as others do', async t => {
  for (const [registration, code] of [['closed', 'registration_closed'], ['invite', 'invalid_invitation_code']] as const) {
    const server = await startServer(t, { config: { authentication: { guests: true, registration } } })
    const ann = await server.enter('ann', 'general')
    const guest = await enter(server, 'general')
    t.equal((await guest.request({ type: 'send_message', channel: 'general', message: 'hi' })).action, 'message_sent', registration)
    t.match(await ann.expect('message'), { user_id: guest.id })
    const body = { email: 'new@example.org', name: 'new', password: 'password-of-theirs' }
    t.match(await server.call('POST', '/api/auth/register', { body }), { status: 403, body: { code } })
  }
})

for (const [name, start] of Object.entries(settings)) {
  t.test(`[P16] [P56] an address gets its limit of guests a minute on ${name}`, async t => {
    const pair = await start(t, { ...beside, limits: { address_guests: 3 } })
    if (pair[0] !== pair[1]) await eventually(() => pair.every(isCounting))
    const clients = []
    for (let n = 0; n < 3; n++) clients.push(await enter(pair[n % 2]!, 'general'))
    const users = await pair[0].database.prisma.user.count()
    for (const server of pair) {
      const refused = await (await server.connect()).exchange({ type: 'authenticate' })
      t.match(refused, { ...failure('rate_limited'), retry_after_ms: Number })
      t.ok(refused.retry_after_ms <= 60_000)
    }
    t.equal(await pair[0].database.prisma.user.count(), users, 'a refused guest is not stored')
    t.match(await clients[0]!.exchange({ type: 'authenticate' }), { type: 'success' }, 'a guest who authenticates again is not counted')
    const ann = await pair[0].register('ann')
    t.equal((await (await pair[1].login(ann)).request({ type: 'channel_list' })).type, 'channel_list', 'users are not limited by guests')
  })
}

import type { Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'

const open = { config: { authentication: { enabled: false } } }

async function enter (server: Server, ...channels: string[]): Promise<Client & { id: string, name: string }> {
  const client = await server.connect()
  const { data } = await client.request({ type: 'authenticate' })
  for (const channel of channels) await client.request({ type: 'join_channel', channel })
  return Object.assign(client, { id: data.user_id, name: data.username })
}

t.test('[P16] with authentication disabled, authenticate without a token makes the connection a guest', async t => {
  const server = await startServer(t, open)
  const client = await server.connect()
  t.same(await client.exchange({ type: 'channel_list' }), failure('not_authenticated'))
  t.same(await client.exchange({ type: 'authenticate', token: '' }), failure('token_required'))
  t.same(await client.exchange({ type: 'authenticate', token: 'wrong' }), failure('authentication_failed'))
  const reply = await client.exchange({ type: 'authenticate' })
  t.match(reply, {
    type: 'success',
    action: 'authenticated',
    data: { user_id: /^[0-9a-f-]{36}$/, username: /^guest-[0-9a-z]{6}$/, email: null, role: 'user', expires_at: null }
  })
  t.same((await client.exchange({ type: 'authenticate', token: null })).data, reply.data, 'a second authenticate keeps the guest')

  const user = await server.database.prisma.user.findUniqueOrThrow({ where: { id: reply.data.user_id } })
  t.match(user, { email: null, passwordHash: null, role: 'user', name: reply.data.username })
})

t.test('[P16] guests can send and receive messages in public channels', async t => {
  const server = await startServer(t, open)
  const [one, two] = [await enter(server, 'general'), await enter(server, 'general')]
  t.not(one.id, two.id)
  await one.request({ type: 'send_message', channel: 'general', message: 'hello' })
  t.match(await two.expect('message'), { user_id: one.id, username: one.name, message: 'hello' })
  t.match(await two.request({ type: 'user_list', channel: 'general' }), { count: 2 })
})

t.test('[P47] [P48] guests neither open a direct channel nor are its peer, and neither block nor are blocked', async t => {
  const server = await startServer(t, open)
  const ann = await server.enter('ann')
  const guest = await enter(server)
  for (const type of ['open_direct', 'block_user', 'unblock_user']) {
    t.same(await guest.exchange({ type, user_id: ann.person.user.id }), failure('not_authorized'), type)
    t.same(await ann.exchange({ type, user_id: guest.id }), failure('user_not_found'), type)
  }
  t.equal(await server.database.prisma.directPeer.count() + await server.database.prisma.userBlock.count(), 0)
})

t.test('[P16] guests see no private channel, even with an invitation, and cannot join channels for moderators or admins', async t => {
  const server = await startServer(t, open)
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

t.test('[P16] a guest\'s memberships end with the connection', async t => {
  const server = await startServer(t, open)
  const { prisma } = server.database
  const [one, two] = [await enter(server, 'general', 'other'), await enter(server, 'general')]
  t.equal(await prisma.channelUser.count({ where: { userId: one.id } }), 2)
  one.socket.terminate()
  t.match(await two.expect('user_left'), { user_id: one.id })
  await eventually(async () => await prisma.channelUser.count({ where: { userId: one.id } }) === 0)
  t.match(await prisma.channel.findUnique({ where: { name: 'general' } }), { userCount: 1 })
  t.match(await prisma.user.findUnique({ where: { id: one.id } }), { disabledAt: Date })
  await two.settle()
})

t.test('[P13] [P16] a token still authenticates a user, and a connection cannot change between guest and user', async t => {
  const server = await startServer(t, open)
  const ann = await server.register('ann')
  const user = await server.login(ann)
  t.same(await user.exchange({ type: 'authenticate' }), failure('not_authorized'))
  const guest = await enter(server)
  t.same(await guest.exchange({ type: 'authenticate', token: ann.access_token }), failure('not_authorized'))
  t.match(await guest.request({ type: 'channel_list' }), { type: 'channel_list' })
})

t.test('[P12] with authentication enabled there are no guests', async t => {
  const server = await startServer(t)
  t.same(await (await server.connect()).exchange({ type: 'authenticate' }), failure('token_required'))
})

import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Client, Frame } from '../client.ts'
import { failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

/** Places that are free before the race. */
const ROOM = 10
const RACERS = 50

// Two instances of one cluster with the default caps: 1000 users in a channel and 50 channels of a user.
const config = { redis: redis() }
const one = await startServer(t, { config })
const two = await startServer(t, { config, databaseUrl: one.databaseUrl })

const joinedOf = (replies: Frame[]): number => replies.filter(({ action }) => action === 'channel_joined').length

t.test('[P21] when 50 users at two instances race for the last 10 of 1000 places in a channel, exactly 10 join', async t => {
  const { prisma } = one.database
  const channel = await createRows(one.database).channel('public', { name: 'narrow' })
  const members = Array.from({ length: 1000 - ROOM }, () => uuidv7())
  await prisma.user.createMany({ data: members.map(id => ({ id, name: 'member' })) })
  await prisma.channelUser.createMany({ data: members.map(userId => ({ channelId: channel.id, userId })) })
  await prisma.channel.update({ where: { id: channel.id }, data: { userCount: members.length } })

  const clients = await Promise.all(Array.from({ length: RACERS }, (_, i) => (i % 2 ? one : two).enter(`user${i}`)))
  const replies = await Promise.all(clients.map(client => client.exchange({ type: 'join_channel', channel: 'narrow' })))
  t.equal(joinedOf(replies), ROOM)
  t.same(replies.find(reply => reply.type === 'error'), failure('channel_full'))
  t.equal(replies.filter(({ code }) => code === 'channel_full').length, RACERS - ROOM)
  t.match(await prisma.channel.findUnique({ where: { name: 'narrow' }, include: { _count: { select: { members: true } } } }),
    { userCount: 1000, _count: { members: 1000 } })

  t.comment('leaving frees exactly one place')
  await clients[replies.findIndex(({ action }) => action === 'channel_joined')]!.request({ type: 'leave_channel', channel: 'narrow' })
  const losers = clients.filter((_, i) => replies[i]!.type === 'error')
  t.equal(joinedOf(await Promise.all(losers.map(client => client.exchange({ type: 'join_channel', channel: 'narrow' })))), 1)
})

t.test('[P21] when a member of 40 channels joins 50 more at once at two instances, exactly 10 joins succeed', async t => {
  const rows = createRows(one.database)
  const person = await one.register('ann')
  for (let i = 0; i < 50 - ROOM; i++) await rows.member(await rows.channel(), person)
  const clients = await Promise.all(Array.from({ length: RACERS }, (_, i) => (i % 2 ? one : two).login(person)))
  const replies = await Promise.all(clients.map((client: Client, i) => client.exchange({ type: 'join_channel', channel: `c${i}` })))
  t.equal(joinedOf(replies), ROOM)
  t.same(replies.find(reply => reply.type === 'error'), failure('too_many_channels'))
  t.equal(await one.database.prisma.channelUser.count({ where: { userId: person.user.id } }), 50)

  t.comment('the default room has no cap, and joining again does not count as a membership')
  const [client] = clients as [Client]
  t.equal((await client.exchange({ type: 'join_channel', channel: 'general' })).action, 'channel_joined')
  const own = replies.find(({ action }) => action === 'channel_joined')!.data.channel
  t.equal((await client.exchange({ type: 'join_channel', channel: own })).action, 'channel_joined')
})

t.test('[P21] the 51st channel is refused, also when it is created by REST; the default room has no cap', async t => {
  const server = await startServer(t, { config: { channels: { max_users_per_channel: 1 } } })
  const rows = createRows(server.database)
  const ann = await server.enter('ann')
  for (let i = 0; i < 50; i++) await rows.member(await rows.channel(), ann)
  t.equal((await ann.exchange({ type: 'join_channel', channel: 'c51' })).code, 'too_many_channels')
  t.equal(await server.database.prisma.channel.count({ where: { name: 'c51' } }), 0, 'the channel was not created')
  const { status, body } = await server.call('POST', '/api/channels', { token: ann.person.access_token, body: { name: 'c51' } })
  t.match({ status, body }, { status: 409, body: { code: 'too_many_channels', message: 'Maximum channels per user exceeded' } })
  await ann.request({ type: 'join_channel', channel: 'general' })
  await server.enter('ben', 'general')
})

t.test('[P21] a cap of 0 means no cap', async t => {
  const server = await startServer(t, { config: { channels: { max_users_per_channel: 0, max_channels_per_user: 0 } } })
  const channels = Array.from({ length: 60 }, () => `c-${randomUUID()}`)
  await server.enter('ann', ...channels)
  t.equal((await (await server.enter('ben')).request({ type: 'join_channel', channel: channels[0] })).action, 'channel_joined')
})

import { eventually } from '../eventually.ts'
import { failure, redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const left = (channel: string) => ({ type: 'success', action: 'channel_left', data: { channel } })

t.test('[P20] leaving ends the membership on every connection of the user, on every instance', async t => {
  const ann = await server.enter('ann', 'club')
  const tab = await server.login(ann.person)
  const away = await other.login(ann.person)
  for (const client of [tab, away]) await client.request({ type: 'join_channel', channel: 'club' })
  t.same(await ann.request({ type: 'leave_channel', channel: 'club' }), left('club'))
  for (const client of [tab, away]) {
    const { timestamp, ...notice } = await client.expect('channel_left')
    t.same(notice, { type: 'channel_left', channel: 'club' })
    t.equal(new Date(timestamp).toISOString(), timestamp)
  }
  for (const client of [ann, tab, away]) {
    t.same(await client.exchange({ type: 'send_message', channel: 'club', message: 'x' }), failure('not_in_channel'))
  }
  const ben = await server.enter('ben', 'club')
  await ben.request({ type: 'send_message', channel: 'club', message: 'without ann' })
  await eventually(async () => {
    const { users } = await ben.request({ type: 'user_list', channel: 'club' })
    return users.length === 1 && users[0].username === 'ben'
  })
  for (const client of [ann, tab, away]) {
    await client.settle()
    t.same(client.inbox.filter(({ type }) => type === 'message' || type === 'channel_left'), [], 'no further frames of the channel')
  }
  const { body } = await server.call('GET', '/api/channels/club/members', { token: ben.person.access_token })
  t.same(body.members.map(({ username }: { username: string }) => username), ['ben'])
})

t.test('[P20] leaving a channel without being a member succeeds and sends no notice', async t => {
  const ann = await server.enter('ann', 'hall')
  const ben = await server.enter('ben')
  const tab = await server.login(ben.person)
  t.same(await ben.request({ type: 'leave_channel', channel: 'hall' }), left('hall'))
  for (const client of [ann, ben, tab]) {
    await client.settle()
    t.notOk(client.inbox.some(({ type }) => type === 'channel_left' || type === 'user_left'))
  }
})

t.test('[P20] a member can leave on a connection that has not joined', async t => {
  const ann = await server.enter('ann', 'hall')
  const tab = await server.login(ann.person)
  await tab.request({ type: 'leave_channel', channel: 'hall' })
  await ann.expect('channel_left')
  t.equal((await ann.exchange({ type: 'send_message', channel: 'hall', message: 'x' })).code, 'not_in_channel')
})

t.test('[P19] [P20] leaving a channel that does not exist answers channel_not_found', async t => {
  const ann = await server.enter('ann')
  t.same(await ann.exchange({ type: 'leave_channel', channel: 'nowhere' }), failure('channel_not_found'))
})

t.test('[P20] [P30] a user who joins again after leaving gets the missed messages as history and then the live ones', async t => {
  const ann = await server.enter('ann', 'pause')
  const ben = await server.enter('ben', 'pause')
  await ann.request({ type: 'leave_channel', channel: 'pause' })
  await ben.request({ type: 'send_message', channel: 'pause', message: 'missed' })
  const { data } = await ann.request({ type: 'join_channel', channel: 'pause', history: 10 })
  t.match(data, { seq: 1, recovered: false, messages: [{ seq: 1, message: 'missed' }] })
  await ben.request({ type: 'send_message', channel: 'pause', message: 'live' })
  t.match(await ann.expect('message'), { seq: 2, message: 'live' })
})

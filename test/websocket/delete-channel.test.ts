import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })

t.test('[P24] every subscriber on every instance gets channel_deleted once and loses its subscription', async t => {
  const ann = await server.enter('ann', 'doomed')
  const tab = await server.login(ann.person)
  const ben = await other.enter('ben', 'doomed')
  await tab.request({ type: 'join_channel', channel: 'doomed' })
  const { status, body } = await other.call('DELETE', '/api/channels/doomed', { token: ann.person.access_token })
  t.same({ status, body }, { status: 204, body: null })
  for (const client of [ann, tab, ben]) {
    const { timestamp, ...frame } = await client.expect('channel_deleted')
    t.same(frame, { type: 'channel_deleted', channel: 'doomed' })
    t.equal(new Date(timestamp).toISOString(), timestamp)
    t.same(await client.exchange({ type: 'send_message', channel: 'doomed', message: 'x' }), failure('not_in_channel'))
    t.same(await client.exchange({ type: 'user_list', channel: 'doomed' }), failure('channel_not_found'))
    t.notOk(client.inbox.some(({ type }) => type === 'channel_deleted'))
  }
})

t.test('[P24] messages that race the deletion are acked with a seq or answered channel_not_found', async t => {
  const ann = await server.enter('ann', 'raced')
  const ben = await other.enter('ben', 'raced')
  const { data } = await ann.request({ type: 'join_channel', channel: 'raced' })
  const rounds = [ann, ben].map(async client => {
    const outcomes: Frame[] = []
    for (;;) {
      const reply = await client.exchange({ type: 'send_message', channel: 'raced', message: 'x' })
      outcomes.push(reply)
      if (reply.type === 'error') return outcomes
    }
  })
  await eventually(async () => (await server.database.prisma.message.count({ where: { channelId: data.channel_id } })) > 20)
  const { status } = await server.call('DELETE', '/api/channels/raced', { token: ann.person.access_token })
  t.equal(status, 204)
  const replies = (await Promise.all(rounds)).flat()
  const acked = replies.filter(({ action }) => action === 'message_sent').map(reply => reply.data.seq)
  t.same([...acked].sort((a, b) => a - b), acked.map((_, i) => i + 1), 'every ack has a seq of its own, without a gap')
  // A message that is sent after channel_deleted has arrived is refused with not_in_channel.
  for (const reply of replies.filter(({ type }) => type === 'error')) t.match(reply.code, /^(channel_not_found|not_in_channel)$/)
  for (const client of [ann, ben]) await client.expect('channel_deleted')
})

t.test('[P24] [P30] a new channel with the name of a deleted one is another channel', async t => {
  const ann = await server.enter('ann', 'phoenix')
  await ann.request({ type: 'send_message', channel: 'phoenix', message: 'old' })
  const { data: old } = await ann.request({ type: 'join_channel', channel: 'phoenix' })
  await server.call('DELETE', '/api/channels/phoenix', { token: ann.person.access_token })
  await ann.expect('channel_deleted')
  const { data } = await ann.request({ type: 'join_channel', channel: 'phoenix', since: 1, channel_id: old.channel_id })
  t.match(data, { seq: 0, recovered: false, messages: [] })
  t.not(data.channel_id, old.channel_id)
  t.equal((await ann.request({ type: 'send_message', channel: 'phoenix', message: 'new' })).data.seq, 1)
})

t.test('[P24] the messages of a deleted channel are removed afterwards, and those of other channels stay', async t => {
  const ann = await server.enter('ann', 'kept', 'purged')
  const ids: Record<string, string> = {}
  for (const channel of ['kept', 'purged']) {
    await ann.request({ type: 'send_message', channel, message: 'x' })
    ids[channel] = (await ann.request({ type: 'join_channel', channel })).data.channel_id
  }
  const { prisma } = server.database
  await server.call('DELETE', '/api/channels/purged', { token: ann.person.access_token })
  await eventually(async () => (await prisma.$queryRaw<[{ purged: number }]>`SELECT parley_purge_messages(1000) AS purged`)[0].purged === 0)
  t.equal(await prisma.message.count({ where: { channelId: ids.purged! } }), 0)
  t.equal(await prisma.message.count({ where: { channelId: ids.kept! } }), 1)
})

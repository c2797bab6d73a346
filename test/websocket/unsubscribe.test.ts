import { failure, startServer } from '../helper.ts'
import { t } from '../tap.ts'

const server = await startServer(t)

t.test('[P36] unsubscribe_channel ends the subscription of its connection alone, and the membership stays', async t => {
  const ann = await server.enter('ann', 'general')
  const tab = await server.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'general' })
  const ben = await server.enter('ben', 'general')

  t.same(await ann.exchange({ type: 'unsubscribe_channel', channel: 'general' }),
    { type: 'success', action: 'channel_unsubscribed', data: { channel: 'general' } })
  t.same(await ann.exchange({ type: 'send_message', channel: 'general', message: 'x' }), failure('not_in_channel'))
  await ben.request({ type: 'send_message', channel: 'general', message: 'hello' })
  t.match(await tab.expect('message'), { message: 'hello' }, 'the other tab still receives messages')
  t.notOk((await ann.settle()).some(({ type }) => type === 'message'), 'this connection receives none')
  t.notOk((await ben.settle()).some(({ type }) => type === 'user_left'), 'the user is still online with the other tab')
  const { channels } = await ann.request({ type: 'channel_list' })
  t.match(channels.find(({ name }: { name: string }) => name === 'general'), { joined: true })

  await tab.request({ type: 'unsubscribe_channel', channel: 'general' })
  t.match(await ben.expect('user_left'), { user_id: ann.person.user.id, channel: 'general' })
})

t.test('[P36] without a subscription unsubscribe_channel succeeds without effect, whether the channel exists or not', async t => {
  const ann = await server.enter('ann')
  for (const channel of ['general', 'no-such-channel']) {
    t.match(await ann.exchange({ type: 'unsubscribe_channel', channel }), { action: 'channel_unsubscribed', data: { channel } })
  }
  t.same(await ann.exchange({ type: 'unsubscribe_channel', channel: ' ' }), failure('channel_required'))
  t.same(await ann.exchange({ type: 'unsubscribe_channel', channel: 'No!' }), failure('invalid_channel_name'))
  const stranger = await server.connect()
  t.same(await stranger.exchange({ type: 'unsubscribe_channel', channel: 'general' }), failure('not_authenticated'))
})

t.test('[P36] [P30] a connection that joins again after unsubscribing resumes without a gap', async t => {
  const ann = await server.enter('ann', 'resumed')
  const ben = await server.enter('ben', 'resumed')
  const { data: { seq, channel_id } } = await ann.request({ type: 'join_channel', channel: 'resumed' })
  await ann.request({ type: 'unsubscribe_channel', channel: 'resumed' })
  await ben.request({ type: 'send_message', channel: 'resumed', message: 'missed' })
  const { data } = await ann.request({ type: 'join_channel', channel: 'resumed', since: seq, channel_id })
  t.match(data, { recovered: true, messages: [{ message: 'missed' }] })
})

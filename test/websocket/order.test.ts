import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { connectRaw, text } from './raw.ts'

// All tests share this server. Each has its own users and channel.
const server = await startServer(t)

t.test('[P6] [P7] frames sent together with the upgrade request are answered after welcome, in order', async t => {
  const ann = await server.register('ann')
  const client = await connectRaw(t, server.port, Buffer.concat([
    text({ type: 'authenticate', token: ann.access_token, ref: 1 }),
    text({ type: 'join_channel', channel: 'room-1', ref: 2 }),
    text({ type: 'send_message', channel: 'room-1', message: 'early', ref: 3 })
  ]))
  t.match(await client.replies(3), [
    { action: 'authenticated', ref: 1 }, { action: 'channel_joined', ref: 2 }, { action: 'message_sent', ref: 3 }
  ])
  t.match(client.texts()[0], {
    type: 'welcome',
    connection_id: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    server_time: /^\d{4}-.*\.\d{3}Z$/,
    protocol: 1,
    heartbeat_interval: 30,
    connection_timeout: 300,
    max_payload: 65_536
  })
})

t.test('[P7] [P8] 100 frames of every kind in one TCP segment get 100 replies in the order of the frames', async t => {
  const ann = await server.register('ann')
  const client = await connectRaw(t, server.port)
  const kinds = [
    { sent: { type: 'send_message', channel: 'room-2', message: 'hello' }, reply: { action: 'message_sent' } },
    { sent: { type: 'send_message', channel: 'room-2', message: 'again' }, reply: { action: 'message_sent' } },
    { sent: { type: 'heartbeat' }, reply: { type: 'heartbeat_ack' } },
    { sent: { type: 'shout' }, reply: { code: 'unknown_type' } },
    { sent: { type: 'send_message', channel: 'elsewhere', message: 'hello' }, reply: { code: 'not_in_channel' } },
    { sent: { type: 'user_list', channel: 'room-2' }, reply: { type: 'user_list' } },
    { sent: { type: 'send_message', channel: 'room-2', message: ' ' }, reply: { code: 'message_required' } }
  ]
  const requests = [
    { sent: { type: 'authenticate', token: ann.access_token }, reply: { action: 'authenticated' } },
    { sent: { type: 'join_channel', channel: 'room-2' }, reply: { action: 'channel_joined' } },
    ...Array.from({ length: 98 }, (_, i) => kinds[i % kinds.length]!)
  ]
  client.write(...requests.map(({ sent }, i) => text({ ...sent, ref: i })))
  t.match(await client.replies(100), requests.map(({ reply }, i) => ({ ...reply, ref: i })))

  const seqs = client.texts().filter(({ action }) => action === 'message_sent').map(({ data }) => data.seq)
  t.same(seqs, seqs.map((_, i) => i + 1), 'messages also took effect in order')
})

t.test('[P7] a frame between messages takes effect after the messages before it and before the messages after it', async t => {
  const ann = await server.enter('ann', 'room-3')
  const ben = await server.enter('ben', 'room-3')
  const send = (message: string): object => ({ type: 'send_message', channel: 'room-3', message })
  const [leave, join] = ['leave_channel', 'join_channel'].map(type => ({ type, channel: 'room-3' }))
  const frames = [send('one'), send('two'), leave, send('three'), join, send('four')]
  frames.forEach((frame, ref) => ann.send({ ...frame, ref }))
  const replies = []
  for (const ref of frames.keys()) replies.push(await ann.expect(frame => frame.ref === ref))
  t.match(replies, [
    { data: { seq: 1 } }, { data: { seq: 2 } }, { action: 'channel_left' },
    { code: 'not_in_channel' }, { action: 'channel_joined', data: { seq: 2 } }, { data: { seq: 3 } }
  ])
  for (const message of ['one', 'two', 'four']) t.equal((await ben.expect('message')).message, message)
})

t.test('[P26] [P29] the sender receives their own message after its ack, on each of their connections', async t => {
  const ann = await server.enter('ann', 'room-4')
  const tab = await server.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'room-4' })
  await ann.settle()
  ann.inbox.length = 0
  ann.send({ type: 'send_message', channel: 'room-4', message: 'hello', client_id: 'c1' })
  const message = await tab.expect('message')
  t.same((await ann.settle()).map(({ type }) => type), ['success', 'message'])
  t.same(ann.inbox[1], message)
})

import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'
import { connectRaw, text } from './raw.ts'

// All tests share this server.
const server = await startServer(t)

const violation = { code: 4501, reason: 'protocol violation' }

t.test('the 10th invalid frame within 60 s is answered like the others, and then the connection closes with 4501', async t => {
  const control = await createControl(server)
  for (const frame of ['{', '[]', '{"type":"heartbeat","ref":1.5}']) {
    const client = await server.connect()
    for (let i = 0; i < 9; i++) client.send(frame)
    await client.settle()
    client.send(frame)
    t.same(await client.closed(), violation, frame)
    t.equal(client.inbox.filter(({ code }) => code === 'invalid_json' || code === 'invalid_frame').length, 10)
    await control(t, `after ${frame}`)
  }
})

t.test('errors of other kinds do not count as protocol violations', async t => {
  const client = await server.connect()
  for (let i = 0; i < 20; i++) {
    client.send({ type: 'shout' })
    client.send({ type: 'join_channel' })
    client.send({ type: 'authenticate', token: 'wrong' })
  }
  t.equal((await client.settle()).length, 60)
})

t.test('[P8] acks of earlier messages are sent before a protocol violation closes the connection', async t => {
  const ann = await server.register('ann')
  const client = await connectRaw(t, server.port)
  client.write(
    text({ type: 'authenticate', token: ann.access_token, ref: 'in' }),
    text({ type: 'join_channel', channel: 'general', ref: 'join' }),
    ...Array.from({ length: 9 }, () => text('{')),
    text({ type: 'send_message', channel: 'general', message: 'last words', ref: 'sent' }),
    text({ type: 'send_message', channel: 'general', message: 5, ref: 'tenth' }),
    text({ type: 'heartbeat', ref: 'too late' })
  )
  t.same(await client.closed(), violation)
  const replies = await client.replies(4)
  t.match(replies, [{ ref: 'in' }, { ref: 'join' }, { action: 'message_sent', ref: 'sent' }, { code: 'invalid_frame', ref: 'tenth' }])
  t.equal(replies.length, 4)
})

import t from 'tap'
import { startServer } from '../helper.ts'

t.test('[P20] [P26] [P29] what one sends is stored, acked and reaches everyone in the channel, the sender too', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const ben = await server.enter('ben', 'general')
  const reply = await ann.request({ type: 'send_message', channel: 'general', message: 'hello', client_id: 'a1' })
  t.match(reply, { type: 'success', action: 'message_sent', data: { channel: 'general', seq: 1, client_id: 'a1' } })
  for (const client of [ann, ben]) {
    t.match(await client.expect('message'), { id: reply.data.id, seq: 1, channel: 'general', username: 'ann', message: 'hello', client_id: 'a1' })
  }
})

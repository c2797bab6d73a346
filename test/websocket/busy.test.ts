import { failure, startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('a full publish queue answers busy at once and in order, and every acked message is stored', async t => {
  const QUEUE = 5
  const SENT = 100
  const server = await startServer(t, { config: { performance: { message_queue_size: QUEUE } } })
  const ann = await server.enter('ann', 'general')
  const ben = await server.enter('ben', 'general')
  for (let ref = 0; ref < SENT; ref++) ann.send({ type: 'send_message', channel: 'general', message: `m${ref}`, ref })
  const replies = []
  for (let ref = 0; ref < SENT; ref++) replies.push(await ann.expect(frame => 'ref' in frame))
  t.same(replies.map(({ ref }) => ref), Array.from({ length: SENT }, (_, i) => i), '[P7] [P8] one reply each, in order')

  const acked = replies.filter(({ action }) => action === 'message_sent')
  const refused = replies.filter(({ type }) => type === 'error')
  t.ok(acked.length >= QUEUE, `${acked.length} acked`)
  t.ok(refused.length > 0, `${refused.length} refused`)
  for (const { ref: _, retry_after_ms: wait, ...frame } of refused) {
    t.same(frame, failure('busy'))
    t.ok(Number.isInteger(wait) && wait > 0)
  }
  t.equal(await server.database.prisma.message.count(), acked.length)
  for (const { data } of acked) t.match(await ben.expect('message'), { id: data.id, seq: data.seq })

  t.comment('the same frame succeeds later')
  t.equal((await ann.request({ type: 'send_message', channel: 'general', message: 'later' })).data.seq, acked.length + 1)
})

t.test('a full publish queue answers REST with busy, 503 and Retry-After', async t => {
  const server = await startServer(t, { config: { performance: { message_queue_size: 1 } } })
  const ann = await server.enter('ann', 'general')
  const replies = await Promise.all(Array.from({ length: 50 }, () =>
    server.call('POST', '/api/channels/general/messages', { token: ann.person.access_token, body: { message: 'x' } })))
  const refused = replies.filter(({ status }) => status === 503)
  t.ok(refused.length > 0, `${refused.length} refused`)
  for (const { headers, body } of refused) {
    t.match(body, { statusCode: 503, error: 'Service Unavailable', code: 'busy', message: 'Server busy', retry_after_ms: Number })
    t.match(headers.get('retry-after'), /^[1-9]\d*$/)
  }
  t.equal(await server.database.prisma.message.count(), replies.filter(({ status }) => status === 201).length)
})

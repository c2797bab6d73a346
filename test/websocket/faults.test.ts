import { startServer, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { createControl } from './control.ts'

const ERROR = 50

/** Returns a function that lists the errors logged since its last call. */
function createLog ({ lines }: Server) {
  let read = lines.length
  return () => {
    const fresh = lines.slice(read)
    read = lines.length
    return fresh.map(line => JSON.parse(line)).filter(({ level }) => level >= ERROR)
  }
}

function boom (): never {
  throw new Error('boom')
}

const internal = { type: 'error', code: 'internal', message: 'Internal server error' }

t.test('[G15] an error in a handler causes one internal reply and one log line with its stack, and nothing else', async t => {
  const server = await startServer(t)
  const control = await createControl(server)
  const ann = await server.enter('ann', 'general')
  const errors = createLog(server)
  const { list } = server.presence
  for (const [how, broken] of [['a throw', boom], ['a rejection', async () => boom()]] as const) {
    server.presence.list = broken
    t.same(await ann.exchange({ type: 'user_list', channel: 'general' }), internal, how)
    server.presence.list = list
    t.match(errors(), [{ err: { message: 'boom', stack: /boom[^]*faults\.test\.ts/ } }], how)
    t.match(await ann.request({ type: 'user_list', channel: 'general' }), { count: 1 }, 'the connection still works')
    await control(t, how)
  }
})

t.test('[G15] an error after the reply causes one log line, and the frames behind it are answered', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann')
  const errors = createLog(server)
  const { enter } = server.presence
  server.presence.enter = boom
  ann.send({ type: 'join_channel', channel: 'general' })
  ann.send({ type: 'heartbeat', ref: 'behind' })
  t.match(await ann.expect('success'), { action: 'channel_joined' })
  t.match(await ann.expect('heartbeat_ack'), { ref: 'behind' })
  server.presence.enter = enter
  t.match(errors(), [{ err: { message: 'boom', stack: /faults\.test\.ts/ } }])
})

t.test('[G15] [P26] [P33] when the broker throws, messages are still acked and delivered', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'general')
  const ben = await server.enter('ben', 'general')
  // The notice goes over the broker a moment later.
  await ann.expect(({ type, username }) => type === 'user_joined' && username === 'ben')
  const errors = createLog(server)
  const { publish } = server.broker
  server.broker.publish = boom
  const ids = []
  for (const message of ['one', 'two']) ids.push((await ann.request({ type: 'send_message', channel: 'general', message })).data.id)
  server.broker.publish = publish
  for (const client of [ann, ben]) for (const id of ids) t.equal((await client.expect('message')).id, id)
  t.match(errors(), [{ err: { message: 'boom' } }, { err: { message: 'boom' } }])
})

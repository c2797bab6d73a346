import { randomUUID } from 'node:crypto'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

/** Creates a channel with a member and one message of theirs. */
async function arrange () {
  const { id: channelId, name } = await rows.channel()
  const ann = await server.enter('ann')
  await rows.member({ id: channelId, name }, ann)
  await ann.request({ type: 'join_channel', channel: name })
  const send = (fields: object): Promise<Frame> => ann.exchange({ type: 'send_message', channel: name, message: 'x', ...fields })
  const token = ann.person.access_token
  const post = (body: object) => server.call('POST', `/api/channels/${name}/messages`, { token, body: { message: 'x', ...body } })
  const history = async (): Promise<Frame[]> => (await server.call('GET', `/api/channels/${name}/messages`, { token })).body.messages
  const stored = () => server.database.prisma.message.count({ where: { channelId } })
  const { data: { id: target } } = await send({})
  return { ann, channelId, name, target, send, post, history, stored }
}

t.test('[P39] reply_to comes back live, in a resume, in history and for one message, also when its target is deleted later', async t => {
  const { ann, channelId, name, target, send, post, history } = await arrange()
  const reply = await send({ reply_to: target, client_id: 'k' })
  t.match(reply, { type: 'success', action: 'message_sent', data: { seq: 2 } })
  t.match(await post({ reply_to: target.toUpperCase() }), { status: 201, body: { seq: 3 } }, 'an id in capitals')
  await ann.request({ command: 'delete_message', channel: name, id: target })
  const plain = await ann.expect(({ type, seq }) => type === 'message' && seq === 1)
  t.notOk('reply_to' in plain, 'a message that is no reply has no field more')
  const live = [await ann.expect(({ seq, type }) => type === 'message' && seq === 2), await ann.expect(({ seq }) => seq === 3)]
  t.same(live.map(({ reply_to: id }) => id), [target, target])

  const reader = await server.enter('reader')
  const { data } = await reader.request({ type: 'join_channel', channel: name, since: 1, channel_id: channelId })
  t.same(data.messages.slice(0, 2), live, 'a resume has the live frames')
  const again = await reader.request({ type: 'join_channel', channel: name, history: 2 })
  t.same(again.data.messages, live)
  const bare = live.map(({ type: _, ...message }) => message)
  t.same((await history()).slice(1), bare)
  const one = await server.call('GET', `/api/channels/${name}/messages/${bare[0]!.id}`, { token: ann.person.access_token })
  t.same(one.body, bare[0])
})

t.test('[P39] a reply can be edited, deleted and replied to, and keeps its reply_to', async t => {
  const { ann, name, target, send, history } = await arrange()
  const { data: { id } } = await send({ reply_to: target })
  t.equal((await send({ reply_to: id })).data.seq, 3)
  await ann.request({ command: 'edit_message', channel: name, id, message: 'edited' })
  t.notOk('reply_to' in await ann.expect('message_edited'))
  t.match((await history())[1], { id, message: 'edited', reply_to: target })
  await ann.request({ command: 'delete_message', channel: name, id })
  t.match((await history())[1], { id, message: null, deleted: true, reply_to: target })
  t.match((await history())[2], { seq: 3, reply_to: id })
})

t.test('[P39] a reply to anything but a live message of the channel is message_not_found, and nothing is stored', async t => {
  const { ann, name, target, send, post, stored } = await arrange()
  const other = await arrange()
  const { data: { id: deleted } } = await send({})
  await ann.request({ command: 'delete_message', channel: name, id: deleted })
  for (const id of [randomUUID(), other.target, deleted, 'x', '', `${target}0`, '\0', '\ud800', '__proto__']) {
    t.same(await send({ reply_to: id }), failure('message_not_found'), JSON.stringify(id))
    t.match(await post({ reply_to: id }), { status: 404, body: { code: 'message_not_found' } }, `${JSON.stringify(id)} over REST`)
  }
  t.equal(await stored(), 2)
  t.match(await send({}), { data: { seq: 4 } }, 'refused messages took no seq')
})

t.test('[P9] [P39] a reply_to of another JSON type is invalid', async t => {
  const { send, post, stored } = await arrange()
  for (const id of [null, 1, true, [], {}]) {
    t.match(await send({ reply_to: id }), { code: 'invalid_frame', message: /^Invalid message: reply_to: / }, JSON.stringify(id))
    t.match(await post({ reply_to: id }), { status: 400, body: { code: 'invalid_request', message: /^Invalid request: reply_to: / } })
  }
  t.equal(await stored(), 1)
})

t.test('[P28] [P39] the same client_id again is a duplicate, also when the target was deleted in between', async t => {
  const { ann, name, target, send } = await arrange()
  const { data } = await send({ reply_to: target, client_id: 'once' })
  await ann.request({ command: 'delete_message', channel: name, id: target })
  t.same((await send({ reply_to: target, client_id: 'once' })).data, { ...data, duplicate: true })
  t.same(await send({ reply_to: target, client_id: 'twice' }), failure('message_not_found'))
})

t.test('[P39] refused replies of a batch do not affect the other messages', async t => {
  const { ann, name, target } = await arrange()
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => ann.exchange({
    type: 'send_message', channel: name, message: `${i}`, ...i % 2 === 0 && { reply_to: i % 4 === 0 ? target : randomUUID() }
  })))
  t.same(replies.map(({ code, data }) => code ?? data.seq),
    [2, 3, 'message_not_found', 4, 5, 6, 'message_not_found', 7, 8, 9, 'message_not_found', 10, 11, 12, 'message_not_found', 13, 14, 15,
      'message_not_found', 16])
})

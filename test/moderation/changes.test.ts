import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createScene, some } from './scene.ts'

const server = await startServer(t)
const rows = createRows(server.database)
const { arrange, log } = createScene(server)

const edit = (client: Client, channel: string, id: string, message: unknown = 'better'): Promise<Frame> =>
  client.exchange({ type: 'command', command: 'edit_message', channel, id, message })
const remove = (client: Client, channel: string, id: string): Promise<Frame> =>
  client.exchange({ type: 'command', command: 'delete_message', channel, id })

async function send (client: Client, channel: string, message = 'x'): Promise<string> {
  return (await client.request({ type: 'send_message', channel, message })).data.id
}

async function history (token: string, channel: string): Promise<Frame[]> {
  return (await server.call('GET', `/api/channels/${channel}/messages`, { token })).body.messages
}

t.test('[P34] an edit and a deletion each have a seq and reach all subscribers live; history shows the current state', async t => {
  const { ann, ben, name, id: benId } = await arrange()
  const id = await send(ben, name, 'first')
  const { data: { timestamp: editedAt, ...edited }, ...editReply } = await edit(ben, name, id)
  t.same({ ...editReply, data: edited }, { type: 'success', action: 'message_edited', data: { channel: name, id, seq: 2 } })
  t.match(await history(ben.person.access_token, name), [{ id, seq: 1, message: 'better', edited_at: editedAt, deleted: undefined }])
  const { data: { timestamp: deletedAt, ...deleted }, ...deleteReply } = await remove(ben, name, id)
  t.same({ ...deleteReply, data: deleted }, { type: 'success', action: 'message_deleted', data: { channel: name, id, seq: 3 } })
  await send(ann, name, 'after')

  for (const client of [ann, ben]) {
    await client.expect(frame => frame.type === 'message' && frame.seq === 1)
    t.same(await client.expect('message_edited'),
      { type: 'message_edited', id, seq: 2, channel: name, user_id: benId, message: 'better', timestamp: editedAt })
    t.same(await client.expect('message_deleted'),
      { type: 'message_deleted', id, seq: 3, channel: name, user_id: benId, timestamp: deletedAt })
    await client.expect(frame => frame.type === 'message' && frame.seq === 4)
  }
  const [first, last] = await history(ann.person.access_token, name)
  t.match(first, { id, seq: 1, message: null, deleted: true, user_id: benId, edited_at: editedAt })
  t.match(last, { seq: 4, message: 'after', deleted: undefined, edited_at: undefined })
  const kept = await server.database.prisma.message.findUnique({ where: { id } })
  t.equal(kept!.content, null, 'the text is deleted, not only hidden')
  t.same(await log(name), [], 'changes to one\'s own messages are not logged')
})

t.test('[P30] [P34] a resume has edits and deletions as entries, and each message in its current state', async t => {
  const { ann, ben, name } = await arrange()
  const ids = [await send(ben, name, 'a'), await send(ben, name, 'b'), await send(ben, name, 'c')]
  await edit(ben, name, ids[0]!, 'a2')
  await remove(ben, name, ids[1]!)
  await edit(ben, name, ids[0]!, 'a3')
  const { id: channelId } = (await server.database.prisma.channel.findUnique({ where: { name } }))!
  const tab = await server.login(ann.person)
  const { data } = await tab.request({ type: 'join_channel', channel: name, since: 0, channel_id: channelId })
  t.match(data, {
    seq: 6,
    recovered: true,
    messages: [
      { type: 'message', seq: 1, message: 'a3', edited_at: String },
      { type: 'message', seq: 2, message: null, deleted: true },
      { type: 'message', seq: 3, message: 'c' },
      { type: 'message_edited', seq: 4, id: ids[0], user_id: ben.person.user.id, message: 'a3' },
      { type: 'message_deleted', seq: 5, id: ids[1], user_id: ben.person.user.id },
      { type: 'message_edited', seq: 6, id: ids[0], message: 'a3' }
    ]
  })
  const { data: newest } = await tab.request({ type: 'join_channel', channel: name, history: 10 })
  t.same(newest.messages.map(({ seq }: Frame) => seq), [1, 2, 3], 'history has only messages')
  await send(ann, name, 'live')
  t.match(await tab.expect('message'), { seq: 7, message: 'live' })
})

t.test('[P33] [P34] edits and deletions that the bus loses are read from the database', async t => {
  const config = { redis: redis() }
  const here = await startServer(t, { config })
  const deaf = await startServer(t, {
    config,
    databaseUrl: here.databaseUrl,
    wrapBroker: broker => ({
      ...broker,
      get connected () { return broker.connected },
      start: handlers => broker.start({
        ...handlers,
        onEvent: (topic, event, isOwn) => { if (event.kind !== 'entries') handlers.onEvent(topic, event, isOwn) }
      })
    })
  })
  const ann = await here.enter('ann', 'lossy')
  const ben = await deaf.enter('ben', 'lossy')
  const id = await send(ann, 'lossy', 'a')
  const timestamp = (await edit(ann, 'lossy', id, 'b')).data.timestamp
  await remove(ann, 'lossy', await send(ann, 'lossy', 'c'))
  // The catch-up may read the database before or after an edit or a deletion, so a message may have either state.
  t.match(await ben.expect('message'), { seq: 1, message: /^[ab]$/ })
  t.match(await ben.expect('message_edited'), { seq: 2, id, message: 'b', user_id: ann.person.user.id, timestamp })
  const { seq, message, deleted = false } = await ben.expect('message')
  t.match([seq, message], deleted ? [3, null] : [3, 'c'])
  t.match(await ben.expect('message_deleted'), { seq: 4, user_id: ann.person.user.id })
  for (const type of ['message', 'message_edited', 'message', 'message_deleted']) await ann.expect(type)
})

t.test('[P27] [P34] edits and deletions that race sends form one sequence without gaps, the same for all subscribers', async t => {
  const { ann, ben, name } = await arrange()
  const eve = await server.enter('eve', name)
  const ids = []
  for (let i = 0; i < 10; i++) ids.push(await send(ben, name, `${i}`))
  const asked = ids.flatMap((id, i) => [
    edit(ben, name, id, `${i} edited`), send(ann, name), send(eve, name), send(ann, name),
    i % 2 === 0 ? remove(ben, name, id) : send(eve, name)
  ])
  await Promise.all(asked)
  const upTo = ids.length + asked.length
  const kinds = ['message', 'message_edited', 'message_deleted']
  const received = await Promise.all([ann, ben, eve].map(async client => {
    const entries: Frame[] = []
    while (entries.at(-1)?.seq !== upTo) entries.push(await client.expect(frame => kinds.includes(frame.type)))
    return entries
  }))
  const all = Array.from({ length: upTo }, (_, i) => i + 1)
  t.same(received[0]!.map(({ seq }) => seq), all)
  t.same(received[1], received[0])
  t.same(received[2]!.map(({ seq }) => seq), all.slice(received[0]!.length - received[2]!.length))
  const changes = await server.database.prisma.messageChange.count()
  t.ok(changes >= 15)
  const now = await history(ann.person.access_token, name)
  t.same(now.slice(0, 10).map(({ message }) => message), ids.map((_, i) => i % 2 === 0 ? null : `${i} edited`))
})

t.test('[P34] only the author may edit a message, and only while they are a member, not muted and not banned', async t => {
  const { ann, ben, name, id: benId, command } = await arrange()
  const id = await send(ben, name)
  t.same(await edit(ann, name, id), failure('not_authorized'), 'the channel\'s creator may not edit it')
  await command('mute_user', { duration: 60 })
  const { retry_after_ms: wait, ...muted } = await edit(ben, name, id)
  t.same(muted, failure('muted'))
  t.ok(wait > 50_000 && wait <= 60_000, `${wait}`)
  await command('unmute_user')
  await ben.request({ type: 'leave_channel', channel: name })
  t.same(await edit(ben, name, id), failure('not_in_channel'))
  await command('ban_user')
  t.same(await edit(ben, name, id), failure('banned'))
  await command('unban_user')
  await ben.request({ type: 'join_channel', channel: name })
  t.match(await edit(ben, name, id.toUpperCase()), { action: 'message_edited', data: { id } })
  t.equal((await history(ann.person.access_token, name))[0]!.user_id, benId)
})

t.test('[P34] authors may delete their messages while muted or not a member; moderators may too, which is logged', async t => {
  const { ann, ben, name, id: benId, command } = await arrange()
  const ids = [await send(ben, name), await send(ben, name), await send(ben, name), await send(ann, name)]
  await command('mute_user')
  t.match(await remove(ben, name, ids[0]!), { action: 'message_deleted' })
  await ben.request({ type: 'leave_channel', channel: name })
  t.match(await remove(ben, name, ids[1]!), { action: 'message_deleted' })
  t.match(await remove(ann, name, ids[2]!), { action: 'message_deleted', data: { seq: 7 } })
  t.match(await ann.expect(frame => frame.seq === 7), { type: 'message_deleted', user_id: ann.person.user.id })
  t.same((await log(name)).at(-1), { actorId: ann.person.user.id, action: 'delete_message', targetId: benId, reason: null })
  await command('add_moderator')
  t.same(await remove(ben, name, ids[3]!), failure('not_authorized'), 'a moderator may not delete the creator\'s message')
})

t.test('[P9] [P34] changes of messages that are deleted, of another channel or unknown, and invalid texts, are refused', async t => {
  const { ann, name } = await arrange()
  const other = some()
  await ann.request({ type: 'join_channel', channel: other })
  const id = await send(ann, name)
  for (const change of [edit, remove]) {
    t.same(await change(ann, other, id), failure('message_not_found'), 'a message of another channel')
    t.same(await change(ann, name, randomUUID()), failure('message_not_found'))
    t.same(await change(ann, name, 'x'), failure('message_not_found'))
    t.same(await change(ann, 'no-such-channel', id), failure('channel_not_found'))
  }
  for (const message of [null, '', ' \n']) t.same(await edit(ann, name, id, message), failure('message_required'))
  t.same(await ann.exchange({ command: 'edit_message', channel: name, id }), failure('message_required'))
  t.same(await edit(ann, name, id, 'x'.repeat(4001)), failure('message_too_long'))
  for (const message of [7, 'a\0']) t.equal((await edit(ann, name, id, message)).code, 'invalid_frame')
  t.equal((await ann.exchange({ command: 'delete_message', channel: name })).code, 'invalid_frame')
  t.match(await edit(ann, name, id, '😀'.repeat(4000)), { action: 'message_edited', data: { seq: 2 } }, 'refused changes took no seq')
  await remove(ann, name, id)
  t.same(await remove(ann, name, id), failure('message_not_found'), 'already deleted')
  t.same(await edit(ann, name, id), failure('message_not_found'))
})

t.test('[P28] [P34] sending again with the client_id of a deleted message is answered as a duplicate', async t => {
  const { ann, name } = await arrange()
  const frame = { type: 'send_message', channel: name, message: 'x', client_id: 'once' }
  const { data: { id } } = await ann.request(frame)
  await remove(ann, name, id)
  t.match(await ann.request(frame), { data: { id, seq: 1, duplicate: true } })
})

t.test('[P19] changing a message of a private channel answers channel_not_found to users who cannot see the channel', async t => {
  const { ann, ben, name } = await arrange('private')
  const id = await send(ann, name)
  for (const change of [edit, remove]) t.same(await change(ben, name, id), failure('channel_not_found'))
  const channel = (await server.database.prisma.channel.findUnique({ where: { name } }))!
  await rows.invitation(channel, ben)
  t.same(await edit(ben, name, id), failure('not_authorized'))
})

t.test('[P32] [P34] a committed mute also binds edits that are sent at the same time', async t => {
  const { ben, name, command } = await arrange()
  const id = await send(ben, name)
  let muted = false
  const edits: Array<Promise<boolean>> = []
  const flood = eventually(async () => {
    const began = muted
    edits.push(edit(ben, name, id).then(({ type }) => began && type !== 'error'))
    await edits.at(-1)
    return began
  })
  await command('mute_user')
  muted = true
  await flood
  t.same((await Promise.all(edits)).filter(Boolean), [], 'no edit sent after the reply to the mute succeeds')
})

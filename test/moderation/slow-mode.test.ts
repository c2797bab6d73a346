import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { failure, redis, startServer } from '../helper.ts'
import { openEmbeddedDatabase, openTestDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createScene } from './scene.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const { prisma } = server.database
const { arrange } = createScene(server)
/** Databases without a server, for what the database judges. */
const databases = [await openTestDatabase(t), await openEmbeddedDatabase(t)]

/** Creates a channel of ann's in slow mode that ben is in too. */
async function slow (seconds = 3600) {
  const scene = await arrange()
  const { ann, ben, name } = scene
  const set = (slowMode: number): Promise<Frame> => ann.request({ command: 'update_channel', channel: name, slow_mode: slowMode })
  await set(seconds)
  const say = (client: Client, clientId?: string): Promise<Frame> =>
    client.exchange({ type: 'send_message', channel: name, message: 'x', ...clientId !== undefined && { client_id: clientId } })
  const post = (body: object = {}) =>
    server.call('POST', `/api/channels/${name}/messages`, { token: ben.person.access_token, body: { message: 'x', ...body } })
  return { ...scene, set, say, post }
}

const held = (reply: Frame, seconds: number): boolean =>
  reply.code === 'rate_limited' && reply.retry_after_ms > 1000 * seconds - 60_000 && reply.retry_after_ms <= 1000 * seconds

t.test('[P50] in slow mode a member sends once, over WebSocket and REST together; whoever can moderate is exempt', async t => {
  const { ann, ben, name, id, say, post } = await slow()
  const eve = await server.enter('eve', name)
  t.equal((await say(ben)).action, 'message_sent')
  const refused = await say(ben)
  t.match(refused, { ...failure('rate_limited'), retry_after_ms: Number })
  t.ok(held(refused, 3600), `${refused.retry_after_ms} ms`)
  t.match(await post(), { status: 429, body: { code: 'rate_limited', retry_after_ms: Number } })
  t.equal((await say(eve)).action, 'message_sent', 'each member waits for themselves')
  for (let i = 0; i < 3; i++) t.equal((await say(ann)).action, 'message_sent')
  await ann.request({ command: 'add_moderator', channel: name, user_id: id })
  t.equal((await say(ben)).action, 'message_sent')
  await ann.request({ command: 'remove_moderator', channel: name, user_id: id })
  t.ok(held(await say(ben), 3600), 'messages of a former moderator count')
  t.match(await prisma.channel.findUnique({ where: { name } }), { lastSeq: 6n }, 'nothing that was refused is stored')
})

t.test('[P50] the next message passes when the wait is over, and every change of slow mode binds at once', async t => {
  const { ben, set, say } = await slow(4)
  t.equal((await say(ben)).action, 'message_sent')
  t.equal((await say(ben)).code, 'rate_limited')
  await eventually(async () => (await say(ben)).action === 'message_sent')
  await set(3600)
  t.ok(held(await say(ben), 3600))
  await set(0)
  for (let i = 0; i < 3; i++) t.equal((await say(ben)).action, 'message_sent')
  await set(60)
  t.ok(held(await say(ben), 60) || (await say(ben)).code === 'rate_limited')
})

t.test('[P28] [P50] a duplicate is answered as ever and starts no wait', async t => {
  const { ben, say, post } = await slow()
  const { data } = await say(ben, 'one')
  t.match(await say(ben, 'one'), { action: 'message_sent', data: { seq: data.seq, duplicate: true } })
  t.match(await post({ client_id: 'one' }), { status: 200, body: { seq: data.seq, duplicate: true } })
  t.equal((await say(ben, 'two')).code, 'rate_limited')
  t.match(await say(ben, 'one'), { data: { duplicate: true } })
})

t.test('[P50] of 20 messages at once, of one user at two instances, exactly one passes', async t => {
  const { ben, name } = await slow()
  const clients = [ben, await other.login(ben.person), await server.login(ben.person), await other.login(ben.person)]
  for (const client of clients.slice(1)) await client.request({ type: 'join_channel', channel: name })
  for (let i = 0; i < 20; i++) {
    clients[i % 4]!.send({ type: 'send_message', channel: name, message: `${i}`, client_id: randomUUID(), ref: i })
  }
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4]!.expect(({ ref }) => ref === i)))
  t.equal(replies.filter(({ action }) => action === 'message_sent').length, 1)
  t.equal(replies.filter(({ code }) => code === 'rate_limited').length, 19)
  t.match(await prisma.channel.findUnique({ where: { name } }), { lastSeq: 1n })
})

t.test('[P50] a message that is refused for another reason starts no wait, and leaving does not end one', async t => {
  const { ann, ben, name, id, say } = await slow()
  await ann.request({ command: 'mute_user', channel: name, user_id: id })
  t.equal((await say(ben)).code, 'muted')
  await ann.request({ command: 'unmute_user', channel: name, user_id: id })
  t.equal((await say(ben)).action, 'message_sent')
  await ben.request({ type: 'leave_channel', channel: name })
  await ben.request({ type: 'join_channel', channel: name })
  t.equal((await say(ben)).code, 'rate_limited')
})

t.test('[P50] [P26] in one batch every message is judged by itself: other channels, members and duplicates are not held back', async t => {
  for (const database of databases) {
    const { messages } = createStores(database)
    const rows = createRows(database)
    const user = async (name: string) => ({ user: await database.prisma.user.create({ data: { name, email: `${uuidv7()}@example.org` } }) })
    const [ann, ben, muted] = [await user('ann'), await user('ben'), await user('muted')]
    const [one, two] = [await rows.channel(), await rows.channel()]
    for (const person of [ann, ben, muted]) for (const channel of [one, two]) await rows.member(channel, person)
    await rows.mute(one, muted, 600_000)
    const draft = (channel: { id: string }, { user }: typeof ann, clientId?: string) =>
      ({ id: uuidv7(), channelId: channel.id, userId: user.id, sid: null, content: 'x', clientId })
    await messages.publish([draft(one, ann, 'old')])
    await database.prisma.channel.update({ where: { id: one.id }, data: { slowMode: 60 } })
    const verdicts = await messages.publish([
      draft(one, muted), draft(one, ann, 'old'), draft(one, ann, 'a'), draft(two, ann), draft(one, ann, 'b'), draft(one, ben),
      draft(two, ann), draft(one, ann), draft(one, ben)
    ])
    t.same(verdicts.map(verdict => verdict.code ?? verdict.seq), ['muted', 1, 2, 1, 'rate_limited', 3, 2, 'rate_limited', 'rate_limited'])
    t.match(verdicts[4], { retryAfterMs: 60_000 })
    t.match(await database.prisma.channel.findUnique({ where: { id: one.id } }), { lastSeq: 3n })
    const sends = await database.prisma.lastSend.findMany({ where: { channelId: { in: [one.id, two.id] } } })
    t.equal(sends.length, 2, 'no row for a channel without slow mode, nor for a refused message')
  }
})

t.test('[P39] [P50] [P28] in slow mode a reply that is refused starts no wait and holds no other message of its batch back', async t => {
  for (const database of databases) {
    const { messages } = createStores(database)
    const rows = createRows(database)
    const user = await database.prisma.user.create({ data: { name: 'ann', email: `${uuidv7()}@example.org` } })
    const channel = await rows.channel()
    await rows.member(channel, { user })
    const draft = (replyTo?: string, clientId?: string) =>
      ({ id: uuidv7(), channelId: channel.id, userId: user.id, sid: null, content: 'x', clientId, replyTo })
    const publish = async (...drafts: Array<ReturnType<typeof draft>>) =>
      (await messages.publish(drafts)).map(verdict => verdict.code ?? verdict.seq)
    const target = await rows.message(channel, { user })
    t.same(await publish(draft(target, 'old')), [2])
    await database.prisma.channel.update({ where: { id: channel.id }, data: { slowMode: 60 } })
    const gone = uuidv7()
    t.same(await publish(draft(gone)), ['message_not_found'])
    t.same(await publish(draft(gone), draft(gone, 'old'), draft(target), draft(gone), draft()),
      ['message_not_found', 2, 3, 'message_not_found', 'rate_limited'])
    t.same(await publish(draft(gone), draft(target), draft(gone, 'old')), ['message_not_found', 'rate_limited', 2])
  }
})

t.test('[P50] the times of slow mode are purged when they are older than every slow mode', async t => {
  const [database] = databases as [typeof databases[0]]
  const channelId = uuidv7()
  const send = (hours: number) => database.prisma.lastSend.create({
    data: { channelId, userId: uuidv7(), sentAt: new Date(Date.now() - hours * 3_600_000) }
  })
  for (const hours of [1, 23, 25, 50]) await send(hours)
  t.equal(await createStores(database).messages.purgeSends(100), 2)
  t.equal(await database.prisma.lastSend.count({ where: { channelId } }), 2)
})

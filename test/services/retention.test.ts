import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import { startServer } from '../helper.ts'
import { maintain } from '../maintain.ts'
import { openEmbeddedDatabase, openTestDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { age } from '../scripts/pruned.ts'
import { t } from '../tap.ts'

t.test('[P50] [P30] entries older than the retention are removed; numbering goes on, and resumes are whole or refused', async t => {
  const server = await startServer(t)
  const ann = await server.enter('ann', 'short', 'kept')
  const send = async (channel: string, message: string): Promise<{ id: string, seq: number }> =>
    (await ann.request({ type: 'send_message', channel, message })).data
  const [first] = [await send('short', 'one'), await send('short', 'two')]
  await ann.request({ command: 'edit_message', channel: 'short', id: first.id, message: 'ONE' })
  await send('short', 'four')
  const last = await send('short', 'five')
  await ann.request({ command: 'edit_message', channel: 'short', id: last.id, message: 'FIVE' })
  await send('kept', 'x')
  const token = ann.person.access_token
  const read = async (channel: string) => (await server.call('GET', `/api/channels/${channel}/messages`, { token })).body
  const { channel_id } = await read('short')
  await age(server.database, channel_id, 3)
  await age(server.database, (await read('kept')).channel_id, 1)
  await ann.request({ command: 'update_channel', channel: 'short', retention: 101 })
  await maintain(t, server.database)
  t.equal((await read('short')).messages.length, 4, 'entries that are younger stay')

  await ann.request({ command: 'update_channel', channel: 'short', retention: 99 })
  await Promise.all([maintain(t, server.database), maintain(t, server.database)])
  t.match(await read('short'), { last_seq: 6, messages: [{ seq: 4, message: 'four' }, { seq: 5, message: 'FIVE' }] })
  t.equal((await read('kept')).messages.length, 1, 'a channel without a retention keeps everything')
  const ben = await server.enter('ben')
  const resume = async (since: number) => (await ben.request({ type: 'join_channel', channel: 'short', channel_id, since })).data
  t.match(await resume(2), { recovered: false, messages: [], seq: 6 })
  t.match(await resume(3), { recovered: true, messages: [{ seq: 4 }, { seq: 5 }, { seq: 6, message: 'FIVE' }] })
  t.equal((await send('short', 'seven')).seq, 7)
  t.match(await ben.expect('message'), { seq: 7 })
})

t.test('[P50] [P37] the newest entry of a channel stays, however old it is, on both databases', async t => {
  for (const database of [await openTestDatabase(t), await openEmbeddedDatabase(t)]) {
    const rows = createRows(database)
    const user = await database.prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } })
    const [quiet, edited, reacted] = [await rows.channel(), await rows.channel(), await rows.channel()]
    const empty = await rows.channel()
    await database.prisma.channel.updateMany({ data: { retention: 1 } })
    for (const channel of [edited, reacted]) await rows.member(channel, { user })
    for (const channel of [quiet, quiet, quiet, edited]) await rows.message(channel, { user })
    const messageId = await rows.message(edited, { user })
    const liked = await rows.message(reacted, { user })
    const change = { channelName: edited.name, userId: user.id, sid: null, messageId, text: 'new' }
    const { messages } = createStores(database)
    t.match((await messages.commit({ messages: [], changes: [change], reactions: [] }, 20)).changes, [{ code: null, seq: 3 }])
    const reaction = { channelName: reacted.name, userId: user.id, sid: null, messageId: liked, reaction: '👍', isAdded: true }
    for (const isAdded of [true, false]) {
      t.match((await messages.commit({ messages: [], changes: [], reactions: [{ ...reaction, isAdded }] }, 20)).reactions, [{ code: null }])
    }
    for (const { id } of [quiet, edited, reacted, empty]) await age(database, id, 9)
    for (const round of ['first', 'second']) {
      await maintain(t, database)
      const left = await database.prisma.message.findMany({ select: { channelId: true, seq: true } })
      t.same(left, [{ channelId: quiet.id, seq: 3n }], `${database.kind}: the ${round} round`)
      t.match(await database.prisma.messageChange.findMany(), [{ channelId: edited.id, seq: 3n }])
      t.match(await database.prisma.reaction.findMany(), [{ channelId: reacted.id, seq: 3n }])
    }
    await rows.message(quiet, { user })
    await maintain(t, database)
    t.match(await database.prisma.message.findMany(), [{ seq: 4n }], 'it goes when there is a newer one')
  }
})

t.test('[P50] many entries and many channels are removed in short steps', async t => {
  const database = await openTestDatabase(t)
  const user = await database.prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } })
  const ids = Array.from({ length: 250 }, () => uuidv7())
  await database.prisma.channel.createMany({ data: ids.map(id => ({ id, name: `c-${id}`, retention: 3, lastSeq: 2 })) })
  await database.prisma.channel.update({ where: { id: ids[0]! }, data: { lastSeq: 1200 } })
  await database.prisma.$executeRaw`INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT c.id, n, gen_random_uuid(), ${user.id}::uuid, 'x', now() - interval '4 days'
    FROM "Channel" c, generate_series(1, c."lastSeq") n`
  await maintain(t, database)
  const left = await database.prisma.message.findMany({ select: { channelId: true, seq: true }, orderBy: { channelId: 'asc' } })
  t.same(left, ids.map((id, i) => ({ channelId: id, seq: i === 0 ? 1200n : 2n })))
})

import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { createMembershipStore } from '../../src/store/memberships.ts'
import { createMessageStore } from '../../src/store/messages.ts'
import { openTestDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

t.test('[P34] [P40] a locked channel does not delay messages, edits, deletions and reactions of other channels', async t => {
  const database = await openTestDatabase(t)
  const { prisma } = database
  const rows = createRows(database)
  const ann = { user: await prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } }) }
  const [held, free] = [await rows.channel(), await rows.channel()]
  for (const channel of [held, free]) await rows.member(channel, ann)
  const messages = createMessageStore(database)
  const actor = { userId: ann.user.id, sid: null }
  const draft = (channel: typeof held) => ({ ...actor, id: uuidv7(), channelId: channel.id, content: 'x', clientId: undefined })
  const drafts = [draft(held), draft(free)]
  await messages.publish(drafts)
  const edits = [held, free].map(({ name }, i) => ({ ...actor, channelName: name, messageId: drafts[i]!.id, text: 'better' }))
  const reactions = [held, free].map(({ name }, i) =>
    ({ ...actor, channelName: name, messageId: drafts[i]!.id, reaction: '👍', isAdded: true }))

  const holder = new pg.Client(database.url)
  await holder.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM "Channel" WHERE id = $1 FOR NO KEY UPDATE', [held.id])
  const mixed = { messages: [draft(held), draft(free)], changes: edits, reactions }
  const [verdicts, published] = await Promise.all([messages.commit(mixed, 20), messages.publish([draft(held), draft(free)])])
  for (const found of [...Object.values(verdicts), published]) t.match(found, [{ code: 'unavailable' }, { code: null, seq: Number }])
  await holder.query('ROLLBACK')
  await holder.end()
  const { changes } = await messages.commit({ messages: [], changes: edits, reactions: [] }, 20)
  t.match(changes, [{ code: null, seq: 2 }, { code: null, seq: 6 }], 'refused requests took no seq')
})

t.test('[P20] a locked channel does not delay joins of other channels', async t => {
  const database = await openTestDatabase(t)
  const rows = createRows(database)
  const { id: userId } = await database.prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } })
  const { id: otherId } = await database.prisma.user.create({ data: { name: 'ben', email: 'ben@example.org' } })
  const [held, free] = [await rows.channel(), await rows.channel()]
  const rules = { maxChannels: 0, maxCreated: 0, createdPerMinute: 0, maxUsers: 0, defaultRoom: 'general', createMissing: true }
  const joins = [
    { userId, sid: null, channelName: held.name, newId: uuidv7() },
    { userId: otherId, sid: null, channelName: free.name, newId: uuidv7() }
  ]

  const holder = new pg.Client(database.url)
  await holder.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM "Channel" WHERE id = $1 FOR NO KEY UPDATE', [held.id])
  t.match(await createMembershipStore(database).join(joins, rules), [{ code: 'unavailable' }, { code: null, channelId: free.id }])
  await holder.query('ROLLBACK')
  await holder.end()
})

import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { createMessageStore } from '../../src/store/messages.ts'
import { openTestDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

t.test('[P34] a locked channel does not delay messages, edits and deletions of other channels', async t => {
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

  const holder = new pg.Client(database.url)
  await holder.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT FROM "Channel" WHERE id = $1 FOR NO KEY UPDATE', [held.id])
  const [changed, published] = await Promise.all([messages.change(edits), messages.publish([draft(held), draft(free)])])
  t.match(changed, [{ code: 'unavailable' }, { code: null, seq: Number }])
  t.match(published, [{ code: 'unavailable' }, { code: null, seq: Number }])
  await holder.query('ROLLBACK')
  await holder.end()
  t.match(await messages.change(edits), [{ code: null, seq: 2 }, { code: null, seq: 4 }], 'refused requests took no seq')
})

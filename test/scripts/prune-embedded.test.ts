import { randomUUID } from 'node:crypto'
import { createMessageStore } from '../../src/store/messages.ts'
import { operate } from '../operator/operate.ts'
import { openEmbedded } from '../store/transfer/copying.ts'
import { t } from '../tap.ts'
import { age, summary } from './pruned.ts'

t.test('npm run prune works on the embedded database, and numbering goes on', async t => {
  const database = await openEmbedded(t)
  const { id: userId } = await database.prisma.user.create({ data: { name: 'Ann', email: 'ann@example.org' } })
  const { id: channelId } = await database.prisma.channel.create({ data: { name: 'old', members: { create: { userId } } } })
  const publish = async (count: number) => createMessageStore(database).publish(Array.from({ length: count }, () =>
    ({ id: randomUUID(), channelId, userId, sid: null, content: 'text', clientId: undefined })))
  await publish(5)
  await age(database, channelId, 3)
  t.match(await operate(database, 'prune', '--older-than', '90d'), summary('removed', 3, 0, 0, 0))
  t.match(await publish(1), [{ seq: 6 }])
  t.equal(await database.prisma.message.count(), 3)
})

import { randomUUID } from 'node:crypto'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createMessageStore } from '../../src/store/messages.ts'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'
import { age, summary } from './pruned.ts'
import { prune } from './run.ts'

t.test('npm run prune works on the embedded database, and numbering goes on', async t => {
  const directory = await createDataDirectory(t)
  const open = () => openDatabase({ ...loadConfig({}).config.database, data_dir: directory })
  let database = await open()
  const { id: userId } = await database.prisma.user.create({ data: { name: 'Ann', email: 'ann@example.org' } })
  const { id: channelId } = await database.prisma.channel.create({ data: { name: 'old', members: { create: { userId } } } })
  const publish = async (count: number) => createMessageStore(database).publish(Array.from({ length: count }, () =>
    ({ id: randomUUID(), channelId, userId, sid: null, content: 'text', clientId: undefined })))
  await publish(5)
  await age(database, channelId, 3)
  await database.close()
  t.match(await prune({ PARLEY_DATA_DIR: directory }, '--older-than', '90d'),
    { code: 0, stdout: summary('removed', 3, 0, 0, 0), stderr: '' })
  database = await open()
  t.teardown(() => database.close())
  t.match(await publish(1), [{ seq: 6 }])
  t.equal(await database.prisma.message.count(), 3)
})

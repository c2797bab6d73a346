import { loadConfig } from '../../src/config.ts'
import { createMessageStore } from '../../src/store/messages.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createUsers } from '../../src/store/users.ts'
import { uuidv7 } from 'uuidv7'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'

t.test('a text that begins with U+FEFF is read back unchanged by every kind of query, also next to nulls and in arrays', async t => {
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: await createDataDirectory(t) })
  t.teardown(database.close)
  const users = createUsers(database.prisma)
  const messages = createMessageStore(database)
  const texts = ['\ufeff', '\ufeffx', '\ufeff\ufeffx', 'x\ufeffy', '\ufeff漢字😀', 'x', '']
  for (const text of texts) {
    const user = await users.create({ email: `${uuidv7()}@example.org`, name: `${text}n`, passwordHash: 'x' })
    t.equal(user.name, `${text}n`)
    t.equal((await users.findById(user.id))!.name, `${text}n`)
    const channel = await database.prisma.channel.create({ data: { name: uuidv7(), members: { create: { userId: user.id } } } })
    const content = `${text}m`
    await messages.publish([{ id: uuidv7(), channelId: channel.id, userId: user.id, sid: null, content, clientId: `${text}c` }])
    t.match(await messages.history(channel.id, { limit: 1 }), [{ message: content, client_id: `${text}c`, username: `${text}n` }])
    const [entry] = await messages.entries(channel.id, 0, 1, 1, 1000)
    t.match(entry, { message: content })
    t.same([await messages.entryId(channel.id, 1), await messages.entryId(channel.id, 2)], [entry!.id, null])
    const reply = {
      id: uuidv7(), channelId: channel.id, userId: user.id, sid: null, content, clientId: undefined,
      replyTo: entry!.id, data: JSON.stringify([text])
    }
    t.match(await messages.publish([reply, { ...reply, id: uuidv7(), replyTo: uuidv7() }]), [{ seq: 2 }, { code: 'message_not_found' }])
    t.match(await messages.history(channel.id, { limit: 1 }), [{ reply_to: entry!.id, data: [text] }])
    const [row] = await database.query<object>('SELECT $1::text AS a, NULL AS b, $2::text AS c, ARRAY[$1::text] AS d', [text, content])
    t.same(row, { a: text, b: null, c: content, d: [text] })
  }
})

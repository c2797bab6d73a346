import { fillChannels, fillMessages } from '../../scripts/bench/growth/fill.ts'
import { administrate, createDatabase, startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('a server takes the messages with which the benchmark fills its database for its own', async t => {
  const databaseUrl = await createDatabase(t)
  await administrate(databaseUrl, 'INSERT INTO "User" (id, email, name) VALUES (parley_new_id(), \'old@example.org\', \'old\')')
  await fillChannels(databaseUrl, 3)
  const counts: number[] = []
  const { messageBytes, searchBytes } = await fillMessages(databaseUrl, ['one', 'two'], 2001, rows => counts.push(rows))
  t.strictSame(counts, [2001])
  t.ok(messageBytes > 100 && searchBytes > 100, 'both take room')

  const server = await startServer(t, { databaseUrl })
  const ann = await server.enter('ann')
  const joined = (await ann.request({ type: 'join_channel', channel: 'one', history: 2 })).data
  t.match(joined, { seq: 1001, messages: [{ seq: 1000, username: 'old' }, { seq: 1001 }] })
  t.ok(joined.messages[0].id < joined.messages[1].id, 'ids sort by time')
  t.match((await ann.request({ type: 'join_channel', channel: 'two' })).data, { seq: 1000 })
  t.match((await ann.request({ type: 'send_message', channel: 'one', message: 'new' })).data, { seq: 1002 })

  const token = ann.person.access_token
  const found = (await server.call('GET', '/api/messages?query=matter1998', { token })).body.messages
  t.match(found.map(({ channel, message }: Record<string, unknown>) => ({ channel, message })), [
    { channel: 'one', message: 'this is a line of talk about topic4 and matter1998 of here' }
  ])
})

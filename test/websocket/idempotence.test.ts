import { randomUUID } from 'node:crypto'
import { failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const server = await startServer(t, { config })
const other = await startServer(t, { config, databaseUrl: server.databaseUrl })
const rows = createRows(server.database)

const send = (channel: string, clientId: string, message = 'x') => ({ type: 'send_message', channel, message, client_id: clientId })

t.test('[P28] sending with the same client_id again in a later batch returns the first message', async t => {
  const ann = await server.enter('ann', 'later')
  const { data: first } = await ann.request(send('later', 'a'))
  t.notOk('duplicate' in first)
  await ann.expect('message')
  const { data: second } = await ann.request(send('later', 'a', 'another text'))
  t.same(second, { ...first, duplicate: true })
  t.equal((await ann.request(send('later', 'b'))).data.seq, 2, 'a duplicate takes no seq')
  t.equal((await ann.expect('message')).seq, 2, 'a duplicate is not broadcast')
  const history = await server.database.prisma.message.findMany({ where: { channelId: await idOf('later') }, orderBy: { seq: 'asc' } })
  t.match(history, [{ content: 'x', clientId: 'a' }, { content: 'x', clientId: 'b' }])
})

t.test('[P28] five messages with the same client_id in one segment are one message and four duplicates', async t => {
  const ann = await server.enter('ann', 'batch')
  const replies = await Promise.all(Array.from({ length: 5 }, () => ann.exchange(send('batch', 'a'))))
  t.equal(replies.filter(({ data }) => data.duplicate).length, 4)
  t.equal(new Set(replies.map(({ data }) => `${data.id} ${data.seq} ${data.timestamp}`)).size, 1)
  t.notOk(replies[0]!.data.duplicate, 'the first is the original')
  await ann.expect('message')
  await ann.settle()
  t.notOk(ann.inbox.some(({ type }) => type === 'message'))
})

t.test('[P28] a client_id that arrives at two instances at once is stored once and broadcast once, with equal acks', async t => {
  const ann = await server.enter('ann', 'raced')
  const tab = await other.login(ann.person)
  await tab.request({ type: 'join_channel', channel: 'raced' })
  const PAIRS = 100
  const pairs = await Promise.all(Array.from({ length: PAIRS }, async () => {
    const clientId = randomUUID()
    return await Promise.all([ann, tab].map(async client => (await client.request(send('raced', clientId))).data))
  }))
  for (const [one, two] of pairs as Array<[Record<string, unknown>, Record<string, unknown>]>) {
    if (one.id !== two.id || one.seq !== two.seq || one.timestamp !== two.timestamp) t.fail('two messages of one client_id')
    if (Boolean(one.duplicate) === Boolean(two.duplicate)) t.fail('not exactly one duplicate')
  }
  t.equal(await server.database.prisma.message.count({ where: { channelId: await idOf('raced') } }), PAIRS)
  for (const client of [ann, tab]) {
    for (let seq = 1; seq <= PAIRS; seq++) {
      const message = await client.expect('message')
      if (message.seq !== seq) t.fail(`expected ${seq}, received ${message.seq}`)
    }
    await client.settle()
    t.notOk(client.inbox.some(({ type }) => type === 'message'), 'each message came once')
  }
})

t.test('[P28] the same client_id of another user or in another channel is not a duplicate', async t => {
  const ann = await server.enter('ann', 'one', 'two')
  const ben = await server.enter('ben', 'one')
  const sent = [await ann.request(send('one', 'a')), await ann.request(send('two', 'a')), await ben.request(send('one', 'a'))]
  t.equal(new Set(sent.map(({ data }) => data.id)).size, 3)
})

t.test('[P28] a retry is answered as a duplicate even if the sender has been muted since', async t => {
  const ann = await server.enter('ann', 'hushed')
  const { data } = await ann.request(send('hushed', 'a'))
  await rows.mute({ id: await idOf('hushed'), name: 'hushed' }, ann, 60_000)
  t.same((await ann.request(send('hushed', 'a'))).data, { ...data, duplicate: true })
  const { retry_after_ms: _, ...refused } = await ann.exchange(send('hushed', 'b'))
  t.same(refused, failure('muted'))
})

t.test('[P28] the client_id of a refused message can be used again', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel()
  await ann.request({ type: 'join_channel', channel: channel.name })
  await rows.mute(channel, ann, 60_000)
  t.equal((await ann.exchange(send(channel.name, 'a'))).code, 'muted')
  await server.database.prisma.channelMute.deleteMany({ where: { channelId: channel.id } })
  const { data } = await ann.request(send(channel.name, 'a'))
  t.match(data, { seq: 1, client_id: 'a' })
  t.notOk(data.duplicate)
})

t.test('[P28] REST answers a duplicate with 200 and shares client_ids with WebSocket connections', async t => {
  const ann = await server.enter('ann', 'shared')
  const post = (clientId: string) =>
    server.call('POST', '/api/channels/shared/messages', { token: ann.person.access_token, body: { message: 'x', client_id: clientId } })
  const { data } = await ann.request(send('shared', 'a'))
  t.match(await post('a'), { status: 200, body: { ...data, duplicate: true } })
  const made = await post('b')
  t.match(made, { status: 201, body: { seq: 2, client_id: 'b' } })
  t.match((await ann.request(send('shared', 'b'))).data, { ...made.body, duplicate: true })
})

async function idOf (name: string): Promise<string> {
  return (await server.database.prisma.channel.findUniqueOrThrow({ where: { name } })).id
}

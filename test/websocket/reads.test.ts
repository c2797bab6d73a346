import pg from 'pg'
import { createReads } from '../../src/services/reads.ts'
import type { Events } from '../../src/services/events.ts'
import type { Position, ReadStore } from '../../src/store/reads.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer } from '../helper.ts'
import { t } from '../tap.ts'

t.test('[P43] marks of a subscriber do not wait for the database, and are written together once it lets them', async t => {
  const server = await startServer(t)
  const [ann, ben] = [await server.enter('ann', 'room'), await server.enter('ben', 'room')]
  for (let i = 0; i < 20; i++) await ben.request({ type: 'send_message', channel: 'room', message: 'x' })
  await eventually(() => ann.inbox.filter(({ type }) => type === 'message').length === 20)
  const rival = new pg.Client(server.databaseUrl)
  await rival.connect()
  t.teardown(() => rival.end())
  await rival.query('BEGIN')
  await rival.query('SELECT FROM "Channel" FOR UPDATE')
  await rival.query('SELECT FROM "ChannelUser" FOR UPDATE')
  for (let seq = 1; seq <= 20; seq++) t.match(await ann.exchange({ type: 'mark_read', channel: 'room', seq }), { data: { seq } })
  const written = async () => (await server.database.prisma.channelUser.findFirst({ where: { userId: ann.person.user.id } }))!.readSeq
  t.equal(await written(), 0n)
  await rival.query('ROLLBACK')
  await eventually(async () => await written() === 20n)
  const tab = await server.login(ann.person)
  t.match(await tab.exchange({ type: 'mark_read', channel: 'room', seq: 21 }), { code: 'invalid_frame' })
})

t.test('[P43] positions are written while a channel is locked, and at shutdown', async t => {
  const databaseUrl = await createDatabase(t)
  const server = await startServer(t, { databaseUrl })
  const [ann, ben] = [await server.enter('ann', 'room'), await server.enter('ben', 'room')]
  for (let i = 0; i < 3; i++) await ben.request({ type: 'send_message', channel: 'room', message: 'x' })
  await eventually(() => ann.inbox.filter(({ type }) => type === 'message').length === 3)
  const rival = new pg.Client(databaseUrl)
  await rival.connect()
  t.teardown(() => rival.end())
  const written = async () => {
    const { rows } = await rival.query('SELECT "readSeq" FROM "ChannelUser" WHERE "userId" = $1', [ann.person.user.id])
    return rows[0].readSeq
  }
  await rival.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await rival.query('SELECT FROM "Channel" FOR NO KEY UPDATE')
  await ann.request({ type: 'mark_read', channel: 'room', seq: 1 })
  await eventually(async () => await written() === '1')
  await rival.query('ROLLBACK')
  await ann.request({ type: 'mark_read', channel: 'room', seq: 2 })
  await ann.request({ type: 'mark_read', channel: 'room', seq: 3 })
  await server.close()
  t.equal(await written(), '3')
})

t.test('[P16] [P43] [P44] guests have positions and activity in public channels', async t => {
  const server = await startServer(t, { config: { authentication: { enabled: false } } })
  const [guest, other] = [await server.connect(), await server.connect()]
  await guest.request({ type: 'authenticate', activity: true })
  await other.request({ type: 'authenticate' })
  for (const client of [guest, other]) await client.request({ type: 'join_channel', channel: 'room' })
  await guest.request({ type: 'unsubscribe_channel', channel: 'room' })
  await other.request({ type: 'send_message', channel: 'room', message: 'x' })
  t.match(await guest.expect('channel_activity'), { channel: 'room', seq: 1 })
  t.match((await guest.request({ type: 'channel_list', joined: true })).channels, [{ name: 'room', unread_count: 1 }])
  t.match(await guest.exchange({ type: 'mark_read', channel: 'room', seq: 1 }), { data: { seq: 1 } })
  t.match((await guest.request({ type: 'channel_list', joined: true })).channels, [{ name: 'room', unread_count: 0 }])
  t.equal((await guest.exchange({ type: 'mark_read', channel: 'elsewhere', seq: 0 })).code, 'channel_not_found')
})

t.test('[P43] all positions together take one statement a second, and their number in memory is bounded', async t => {
  const calls: Array<{ at: number, positions: Position[] }> = []
  let fails = true
  const raise = async (positions: Position[]) => {
    calls.push({ at: performance.now(), positions })
    if (fails) throw new Error('the database is away')
    return positions.map(({ seq }) => ({ before: 0, reached: seq, userCount: 100 }))
  }
  const faults: unknown[] = []
  const reads = createReads({
    store: { raise } as unknown as ReadStore,
    events: { markerRaised () {}, membersRead () {} } as unknown as Events,
    receiptsLimit: 50,
    batchSize: 10_000,
    onFault: error => faults.push(error)
  })
  const place = (user: number) => ({ channelId: 'c', channelName: 'c', userId: `u${user}` })
  for (let user = 0; user < 50_000; user++) reads.mark(place(user), 1)
  t.throws(() => reads.mark(place(50_000), 1), { code: 'busy' })
  t.equal(reads.mark(place(7), 2), 2, 'a position that waits may rise')
  await eventually(() => faults.length === 1)
  fails = false
  await eventually(() => calls.length === 3)
  t.same(calls.map(({ positions }) => positions.length), [10_000, 10_000, 10_000])
  t.ok(calls.every(({ at }, i) => i === 0 || at - calls[i - 1]!.at > 990))
  t.equal(reads.unwritten('u7').length, 0)
  await reads.close()
  t.equal(calls.flatMap(({ positions }) => positions).length, 60_000, 'the end writes the rest')
})

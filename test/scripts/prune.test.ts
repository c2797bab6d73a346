import { UsageError } from '../../src/operator/command.ts'
import { commands } from '../../src/operator/commands.ts'
import { startServer } from '../helper.ts'
import { operate } from '../operator/operate.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { age, summary } from './pruned.ts'
import { prune } from './run.ts'

t.test('[P28] [P30] [P34] after pruning under a running server numbering goes on, and a resume of pruned entries is refused', async t => {
  const server = await startServer(t)
  const { database } = server
  const ann = await server.enter('ann', 'old')
  const { channel_id } = (await server.call('GET', '/api/channels/old/messages', { token: ann.person.access_token })).body
  const send = async (message: string): Promise<{ id: string, seq: number, duplicate?: boolean }> =>
    (await ann.request({ type: 'send_message', channel: 'old', message, client_id: message })).data
  const [first, second] = [await send('one'), await send('two')]
  await ann.request({ command: 'edit_message', channel: 'old', id: first.id, message: 'ONE' })
  const fourth = await send('four')
  await ann.request({ command: 'edit_message', channel: 'old', id: second.id, message: 'TWO' })
  await ann.request({ command: 'edit_message', channel: 'old', id: fourth.id, message: 'FOUR' })
  await age(database, channel_id, 3)

  t.match(await operate(database, 'prune', '--older-than', '90d', '--dry-run'), summary('would remove', 2, 1, 0, 0))
  t.equal(await database.prisma.message.count(), 3)
  t.match(await prune({ DATABASE_URL: server.databaseUrl }, '--older-than', '90d'),
    { code: 0, stdout: summary('removed', 2, 1, 0, 0), stderr: '' })

  const { body } = await server.call('GET', '/api/channels/old/messages', { token: ann.person.access_token })
  t.match(body, { last_seq: 6, messages: [{ seq: 4, message: 'FOUR' }] })
  t.equal(body.messages.length, 1)
  const ben = await server.enter('ben')
  const join = async (since: number) => (await ben.request({ type: 'join_channel', channel: 'old', channel_id, since })).data
  t.match(await join(2), { recovered: false, messages: [], seq: 6 }, 'a resume that needs a pruned entry gets nothing')
  t.match(await join(3), {
    recovered: true,
    messages: [
      { type: 'message', seq: 4 }, { type: 'message_edited', seq: 5, id: second.id, message: null }, { type: 'message_edited', seq: 6 }
    ]
  }, 'a resume of entries that remain succeeds; an edit of a pruned message has no text')

  t.match(await send('four'), { seq: 4, duplicate: true })
  const again = await send('one')
  t.match(again, { seq: 7 })
  t.notOk(again.duplicate, 'a client_id is forgotten together with its message')
  t.equal((await ann.exchange({ command: 'edit_message', channel: 'old', id: second.id, message: 'x' })).code, 'message_not_found')
})

t.test('[P37] pruning keeps the newest entry of each channel, also of authors who are gone, so that clients resume', async t => {
  const server = await startServer(t)
  const { database } = server
  const ann = await server.enter('ann', 'talk')
  const guest = await database.prisma.user.create({ data: { name: 'guest-gone', disabledAt: new Date(Date.now() - 100 * 86_400_000) } })
  const sent = []
  for (const message of ['one', 'two']) sent.push((await ann.request({ type: 'send_message', channel: 'talk', message })).data)
  const { id: talk } = await database.prisma.channel.findUniqueOrThrow({ where: { name: 'talk' } })
  await ann.request({ command: 'delete_message', channel: 'talk', id: sent[0]!.id })
  await age(database, talk, 3)
  const rows = createRows(database)
  const quiet = await rows.channel()
  await rows.message(quiet, { user: guest })
  const kept = await rows.message(quiet, { user: guest })
  await age(database, quiet.id, 2)

  t.match(await operate(database, 'prune', '--older-than', '90d', '--dry-run'), summary('would remove', 3, 0, 0, 1))
  t.match(await operate(database, 'prune', '--older-than', '90d'), summary('removed', 3, 0, 0, 1))
  const resume = async (channel: string, id: string, since: number, sinceId: string) =>
    (await ann.request({ type: 'join_channel', channel, channel_id: id, since, since_id: sinceId })).data
  const [first, second] = sent
  t.match(await resume('talk', talk, 3, first.id), { seq: 3, last_id: first.id, recovered: true, messages: [] })
  t.match(await resume(quiet.name, quiet.id, 2, kept), { seq: 2, last_id: kept, recovered: true, messages: [] })
  t.match(await resume('talk', talk, 2, second.id), { seq: 3, recovered: false, messages: [] }, 'gone')
  const { body } = await server.call('GET', `/api/channels/${quiet.name}/messages`, { token: ann.person.access_token })
  t.match(body.messages, [{ id: kept, username: '' }])
  t.match(await operate(database, 'prune', '--older-than', '90d'), summary('removed', 0, 0, 0, 0))
})

t.test('[P27] pruning while users send leaves no gap in the numbering and removes no new message', async t => {
  const server = await startServer(t, { config: { limits: { enabled: false } } })
  const ann = await server.enter('ann', 'busy')
  const { channel_id } = (await server.call('GET', '/api/channels/busy/messages', { token: ann.person.access_token })).body
  await server.database.prisma.$executeRaw`
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT ${channel_id}::uuid, n, gen_random_uuid(), ${ann.person.user.id}::uuid, 'old', now() - interval '100 days'
    FROM generate_series(1, 20000) n`
  await server.database.prisma.$executeRaw`UPDATE "Channel" SET "lastSeq" = 20000 WHERE id = ${channel_id}::uuid`

  const pruned = operate(server.database, 'prune', '--older-than', '99d')
  let pruning = true
  pruned.then(() => { pruning = false })
  const acked: number[] = []
  while (pruning) acked.push((await ann.request({ type: 'send_message', channel: 'busy', message: 'new' })).data.seq)
  t.match(await pruned, summary('removed', 20_000, 0, 0, 0))
  t.ok(acked.length > 10)
  t.same(acked, acked.map((_, i) => 20_001 + i))
  const left = await server.database.prisma.message.findMany({ orderBy: { seq: 'asc' }, select: { seq: true } })
  t.same(left.map(({ seq }) => Number(seq)), acked)
})

t.test('[P16] log entries, guests and erased accounts are removed at the same age; current guests and other accounts stay', async t => {
  const server = await startServer(t)
  const { database } = server
  const { prisma } = database
  const ann = await server.register('ann')
  const long = new Date(Date.now() - 100 * 86_400_000)
  const user = (name: string, disabledAt: Date | null) => prisma.user.create({ data: { name, createdAt: long, disabledAt } })
  await user('guest-gone', long)
  await user('guest-here', null)
  await user('guest-just-gone', new Date())
  // The peer of a direct channel that somebody still has [P47].
  const peer = await user('erased-peer', long)
  const channel = await prisma.channel.create({ data: { name: 'direct-x', channelType: 'direct' } })
  await prisma.directPeer.create({ data: { channelId: channel.id, userId: ann.user.id, peerId: peer.id } })
  await prisma.user.create({ data: { name: 'disabled', email: 'd@example.org', createdAt: long, disabledAt: long } })
  const log = (createdAt: Date) => prisma.moderationLog.create({ data: { action: 'ban_user', targetId: ann.user.id, createdAt } })
  await log(long)
  await log(new Date())
  t.match(await operate(database, 'prune', '--older-than', '2160h'), summary('removed', 0, 0, 1, 1))
  const names = (await prisma.user.findMany({ orderBy: { name: 'asc' } })).map(({ name }) => name)
  t.same(names, ['ann', 'disabled', 'erased-peer', 'guest-here', 'guest-just-gone'])
  t.equal(await prisma.moderationLog.count(), 1)
})

t.test('[P49] a dry run removes nothing, and says of each kind as many as the run then removes', async t => {
  const server = await startServer(t)
  const { database } = server
  const { prisma } = database
  const rows = createRows(database)
  const [ann, ben] = [await server.enter('ann', 'old'), await server.register('ben')]
  const { id: channelId } = await prisma.channel.findUniqueOrThrow({ where: { name: 'old' } })
  const sent = []
  for (let i = 0; i < 5; i++) sent.push((await ann.request({ type: 'send_message', channel: 'old', message: 'x' })).data)
  for (const { id } of sent.slice(0, 2)) await ann.request({ command: 'edit_message', channel: 'old', id, message: 'y' })
  await age(database, channelId, 6)
  const long = new Date(Date.now() - 100 * 86_400_000)
  for (let i = 0; i < 3; i++) await prisma.moderationLog.create({ data: { action: 'ban_user', createdAt: i === 0 ? new Date() : long } })
  const people = { author: ann, reporter: { user: ben.user } }
  for (const [i, { id }] of sent.entries()) {
    const report = await rows.report({ id: channelId, name: 'old' }, id, people)
    const settled = i % 2 === 0 ? { resolution: 'dismissed' as const, settledAt: new Date() } : {}
    if (i > 0) await prisma.report.update({ where: { id: report }, data: { createdAt: long, ...settled } })
  }
  for (let i = 0; i < 3; i++) await prisma.user.create({ data: { name: `guest-${i}`, disabledAt: i === 0 ? null : long } })

  /** The rows of all tables, as one hash, without what the running server writes in the background: the index of search, and positions. */
  async function content (): Promise<string> {
    const tables = await prisma.$queryRaw<Array<{ name: string }>>`
      SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'Search%'`
    const all = tables.map(({ name }) => `SELECT (to_jsonb(x) - 'readSeq')::text AS row FROM ${name} x`).join(' UNION ALL ')
    return JSON.stringify(await prisma.$queryRawUnsafe(`SELECT md5(string_agg(row, '|' ORDER BY row)) AS hash FROM (${all}) r`))
  }
  const before = await content()
  t.match(await operate(database, 'prune', '--older-than', '90d', '--dry-run'), summary('would remove', 5, 1, 2, 2, 4))
  t.equal(await content(), before)
  t.match(await operate(database, 'prune', '--older-than', '90d'), summary('removed', 5, 1, 2, 2, 4))
  t.not(await content(), before)
  t.equal(await prisma.report.count(), 1)
  t.match(await operate(database, 'prune', '--older-than', '90d', '--dry-run'), summary('would remove', 0, 0, 0, 0, 0))
})

t.test('invalid arguments are refused in one line, before the database is opened', async t => {
  const env = { DATABASE_URL: 'postgresql://127.0.0.1:1/nowhere' }
  t.match(await prune(env, '--older-than', '90'), { code: 1, stdout: '', stderr: /^parley: .+\n$/ })
  for (const args of [[], ['--older-than', '0d', '--dry-run'], ['--older-than', '90d', '--all']]) {
    t.throws(() => commands.prune(args), { constructor: UsageError, message: /^.+$/ }, args.join(' '))
  }
  t.match(await prune(env, '--help'), { code: 0, stdout: /^usage: npm run prune/ })
})

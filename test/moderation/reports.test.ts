import { randomUUID } from 'node:crypto'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createReportScene, idOf } from './report-scene.ts'
import { some } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const rows = createRows(server.database)
const { arrange, call } = createReportScene(server)

t.test('[P49] a report keeps the message as it is, whatever becomes of it; moderators list it and those online are told', async t => {
  const { ann, ben, cat, dan, channel, id, timestamp, report, list } = await arrange({ message: 'rude', data: { photo: [1] } })
  const tab = await server.login(cat.person)
  const reply = await report(dan, ' Rude! \n')
  t.same(reply, { type: 'success', action: 'message_reported', data: { channel, id, report_id: reply.data.report_id } })
  const filed = await cat.expect('report_filed')
  const shown = {
    id: reply.data.report_id,
    channel,
    channel_id: filed.report.channel_id,
    message_id: id,
    seq: 1,
    user_id: idOf(ben),
    username: 'ben',
    handle: ben.person.user.handle,
    message: 'rude',
    data: { photo: [1] },
    sent_at: timestamp,
    reported_by: idOf(dan),
    reason: 'Rude!',
    created_at: filed.timestamp,
    resolution: null,
    settled_by: null,
    settled_at: null
  }
  t.same(filed, { type: 'report_filed', channel, report: shown, timestamp: filed.timestamp })
  for (const other of [ann, tab]) t.same(await other.expect('report_filed'), filed)
  for (const other of [ben, dan]) t.notOk((await other.settle()).some(({ type }) => type === 'report_filed'))

  t.same(await list(cat), [shown])
  await ben.request({ command: 'edit_message', channel, id, message: 'nice', data: null })
  t.same(await list(ann), [shown], 'after an edit')
  await ben.request({ command: 'delete_message', channel, id })
  t.same(await list(ann), [shown], 'after a deletion')
  await prisma.message.deleteMany({ where: { id } })
  t.same(await list(ann, '?status=open'), [shown], 'after pruning')
  await ben.request({ command: 'leave_channel', channel }).catch(() => {})
  t.notOk((await dan.settle()).some(({ type, seq }) => type === 'message' && seq > 1), 'a report is no entry of the channel')
})

t.test('[P49] over REST a report is made with or without a body, and has what an edit has left', async t => {
  const { ann, ben, cat, dan, channel, id, at, list } = await arrange({ message: 'rude', data: 'x' })
  await ben.request({ command: 'edit_message', channel, id, message: 'worse', data: null })
  const made = await call(dan, 'POST', `${at}/messages/${id.toUpperCase()}/reports`)
  t.match(made, { status: 201, body: { channel, id, report_id: String } })
  await cat.request({ type: 'join_channel', channel })
  t.match(await call(cat, 'POST', `${at}/messages/${id}/reports`, { reason: '  ' }), { status: 201 })
  const found = await list(ann)
  t.match(found, [{ message: 'worse', reason: null, reported_by: idOf(cat) }, { message: 'worse', reason: null, reported_by: idOf(dan) }])
  t.notOk('data' in found[0]!)
})

t.test('[P49] while a report is open, the same user\'s next one of the message is a success without effect', async t => {
  const { cat, dan, ben, channel, id, report, list, settle } = await arrange()
  const [first, second] = [await report(dan, 'one'), await report(dan, 'two')]
  t.same(second, first)
  await ben.request({ command: 'delete_message', channel, id })
  t.same(await report(dan), first, 'also when the message is deleted meanwhile')
  t.match(await list(cat), [{ reason: 'one' }])
  t.equal((await list(cat)).length, 1)
  t.equal((await cat.settle()).filter(({ type }) => type === 'report_filed').length, 1)
  t.match(await settle(cat, first.data.report_id, 'removed'), { status: 200 })
  t.same(await report(dan), failure('message_not_found'))
})

t.test('[P49] only members who are not banned report, and only messages of others that are there', async t => {
  const { ann, ben, cat, dan, channel, id, report } = await arrange()
  const other = await arrange()
  const gone = (await ben.request({ type: 'send_message', channel, message: 'gone' })).data.id
  await ben.request({ command: 'delete_message', channel, id: gone })
  t.same(await report(ben), failure('not_authorized'), 'their own')
  for (const message of [gone, other.id, randomUUID(), 'no id']) {
    t.same(await report(dan, '', message), failure('message_not_found'), message)
  }
  t.same(await report(cat), failure('not_in_channel'), 'a moderator who is no member')
  t.same(await report(other.dan), failure('not_in_channel'))
  t.same(await dan.exchange({ command: 'report_message', channel: some(), id }), failure('channel_not_found'))
  t.same(await dan.exchange({ command: 'report_message', id }), failure('channel_required'))
  t.match(await dan.exchange({ command: 'report_message', channel }), { code: 'invalid_frame' })
  await ann.request({ command: 'update_channel', channel, channel_type: 'private' })
  t.same(await report(other.dan), failure('channel_not_found'))
  await ann.request({ command: 'update_channel', channel, channel_type: 'public' })
  await ann.request({ command: 'ban_user', channel, user_id: idOf(dan) })
  t.same(await report(dan), failure('banned'))
  t.equal(await prisma.report.count({ where: { channelName: channel } }), 0)
  await ann.request({ command: 'unban_user', channel, user_id: idOf(dan) })
  await dan.request({ type: 'join_channel', channel })
  await ann.request({ command: 'mute_user', channel, user_id: idOf(dan) })
  t.equal((await report(dan)).action, 'message_reported', 'a mute does not keep anybody from reporting')
})

t.test('[P9] [P49] bad reasons are refused, and nothing is stored', async t => {
  const { cat, dan, channel, id, at, report, list } = await arrange()
  for (const reason of [7, null, {}, ['x'], true, 'a\0b', '\ud800', '😀'.repeat(501)]) {
    const what = JSON.stringify(reason).slice(0, 20)
    const client = await server.login(dan.person)
    const reply = await client.exchange({ command: 'report_message', channel, id, reason })
    t.match(reply, { code: 'invalid_frame', message: /^Invalid message: reason: .+/ }, what)
    const posted = await call(dan, 'POST', `${at}/messages/${id}/reports`, { reason })
    t.match(posted, { status: 400, body: { code: 'invalid_request' } }, what)
  }
  t.match(await call(dan, 'POST', `${at}/messages/${id}/reports`, { why: 'x' }), { status: 400, body: { code: 'invalid_request' } })
  t.same(await list(cat), [])
  const longest = '😀'.repeat(500)
  t.equal((await report(dan, `  ${longest}\n`)).action, 'message_reported')
  t.match(await list(cat), [{ reason: longest }])
})

t.test('[P49] lists have pages, the newest first, for those who can moderate the channel', async t => {
  const { ann, ben, cat, dan, channel, at, report, list } = await arrange()
  const made: string[] = []
  for (let i = 0; i < 5; i++) {
    const { id } = (await ben.request({ type: 'send_message', channel, message: `${i}` })).data
    made.unshift((await report(dan, '', id)).data.report_id)
  }
  const found: string[] = []
  let cursor = ''
  for (const size of [2, 2, 1]) {
    const { body } = await call(cat, 'GET', `${at}/reports?status=open&limit=2${cursor}`)
    t.equal(body.reports.length, size)
    found.push(...body.reports.map(({ id }: Frame) => id))
    cursor = `&cursor=${body.next_cursor}`
  }
  t.equal(cursor, '&cursor=null')
  t.same(found, made)
  t.same((await list(ann)).map(({ id }) => id), made)
  for (const by of [ben, dan, await server.enter('eve')]) {
    t.match(await call(by, 'GET', `${at}/reports`), { status: 403, body: { code: 'not_authorized' } })
  }
  const wrong = ['status=closed', 'status=', 'limit=0', 'limit=101', 'limit=x', 'cursor=x', 'other=1', 'status=open&status=settled']
  for (const query of wrong) {
    t.match(await call(cat, 'GET', `${at}/reports?${query}`), { status: 400, body: { code: 'invalid_request' } }, query)
  }
})

t.test('[P49] exactly those are told who may settle the report, whether they are members or not', async t => {
  const { ann, ben, cat, dan, channel, report } = await arrange()
  const [staff, boss, eve] = [await server.enter('staff'), await server.enter('boss'), await server.enter('eve', channel)]
  await rows.role(staff, 'moderator')
  await ann.request({ command: 'ban_user', channel, user_id: idOf(cat) })
  await report(dan)
  await ann.expect('report_filed')
  await rows.role(boss, 'admin')
  const { id: channelId } = await prisma.channel.findUniqueOrThrow({ where: { name: channel } })
  await prisma.channel.update({ where: { id: channelId }, data: { channelType: 'moderator' } })
  for (const member of [ben, dan]) await rows.role(member, 'moderator')
  const { data: { id } } = await ben.request({ type: 'send_message', channel, message: 'again' })
  const { data: { report_id: reportId } } = await report(dan, '', id)
  for (const client of [staff, boss, dan]) t.match(await client.expect('report_filed'), { report: { id: reportId } })
  for (const client of [ann, ben, cat, eve, staff]) {
    t.notOk((await client.settle()).some(({ type }) => type === 'report_filed'), client.person.user.name)
  }
})

t.test('[P49] a user makes so many reports a minute; repeated ones and refused ones do not count', async t => {
  const small = await startServer(t, { config: { limits: { user_reports: 2 } } })
  const [ann, ben] = [await small.enter('ann', 'general'), await small.enter('ben', 'general')]
  const sent: string[] = []
  for (let i = 0; i < 3; i++) sent.push((await ann.request({ type: 'send_message', channel: 'general', message: 'x' })).data.id)
  const report = (id: string): Promise<Frame> => ben.exchange({ command: 'report_message', channel: 'general', id })
  for (const id of [sent[0]!, sent[0]!, randomUUID(), sent[1]!]) await report(id)
  const refused = await report(sent[2]!)
  t.match(refused, { code: 'rate_limited', retry_after_ms: Number })
  t.ok(refused.retry_after_ms > 0 && refused.retry_after_ms <= 60_000)
  const rest = await small.call('POST', `/api/channels/general/messages/${sent[2]}/reports`, { token: ben.person.access_token })
  t.match(rest, { status: 429, body: { code: 'rate_limited' } })
  t.equal((await report(sent[1]!)).action, 'message_reported', 'what is open already is not refused')
  await small.database.prisma.$executeRaw`UPDATE "Report" SET "createdAt" = "createdAt" - interval '1 minute'`
  t.equal((await report(sent[2]!)).action, 'message_reported')
})

t.test('[P49] [P59] a notice that would be too large comes without text and data, which the list has', async t => {
  const small = await startServer(t, {
    config: { performance: { max_buffered: 65_536 }, channels: { max_data_bytes: 4096, max_report_reason: 4000 } }
  })
  const [ann, ben, root] = [await small.enter('ann', 'general'), await small.enter('ben', 'general'), await small.enter('root')]
  await createRows(small.database).role(root, 'admin')
  const message = '\u0001'.repeat(4000)
  const { data: { id } } = await ann.request({ type: 'send_message', channel: 'general', message, data: 'd'.repeat(4000) })
  await ben.request({ command: 'report_message', channel: 'general', id, reason: '\u0001'.repeat(4000) })
  const { report } = await root.expect('report_filed')
  t.match(report, { message_id: id, username: 'ann' })
  t.notOk('message' in report || 'data' in report)
  const { body } = await small.call('GET', '/api/admin/reports', { token: root.person.access_token })
  t.same(body.reports, [{ ...report, message, data: 'd'.repeat(4000) }])
})

t.test('[P49] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})

import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { countLockWaiters } from '../lock-waiters.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createReportScene, idOf, type Someone } from './report-scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const rows = createRows(server.database)
const { arrange, call } = createReportScene(server)

t.test('[P49] after its settlement a message may be reported again', async t => {
  const { cat, dan, report, list, settle } = await arrange()
  const first = (await report(dan)).data.report_id
  await settle(cat, first, 'dismissed')
  const again = (await report(dan)).data.report_id
  t.not(again, first)
  t.same((await list(cat)).map(({ id }) => id), [again, first])
  t.same((await list(cat, '?status=open')).map(({ id }) => id), [again])
  t.same((await list(cat, '?status=settled')).map(({ id }) => id), [first])
})

t.test('[P49] [P63] the first settlement stays, with its author and time, and is in the log', async t => {
  const { ann, ben, cat, dan, channel, at, report, settle } = await arrange()
  const id = (await report(dan)).data.report_id
  const { status, body } = await settle(cat, id, 'sanctioned')
  t.equal(status, 200)
  t.match(body, { id, message: 'rude', resolution: 'sanctioned', settled_by: idOf(cat), settled_at: String })
  t.same((await settle(ann, id, 'sanctioned')).body, body, 'the same again has no effect')
  t.match(await settle(ann, id, 'dismissed'), { status: 409, body: { code: 'report_settled', message: 'Report already settled' } })
  t.same((await call(ann, 'GET', `${at}/reports?status=settled`)).body.reports, [body])
  const { body: { log } } = await call(ann, 'GET', `${at}/log`)
  t.match(log[0], { action: 'settle_report_sanctioned', actor_id: idOf(cat), target_id: idOf(ben), channel, reason: id })
  t.equal(log.filter(({ action }: Frame) => action.startsWith('settle')).length, 1)
})

t.test('[P49] [P55] of two settlements that wait for the same report, one is made and the other is refused', async t => {
  const { ann, cat, dan, report, settle } = await arrange()
  const id = (await report(dan)).data.report_id
  const holder = new pg.Client(server.databaseUrl)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query('SELECT FROM "Report" WHERE id = $1 FOR UPDATE', [id])
  const both = Promise.all([settle(ann, id, 'dismissed'), settle(cat, id, 'removed')])
  await eventually(async () => await countLockWaiters(holder) === 2)
  await holder.query('COMMIT')
  t.same((await both).map(({ status }) => status).sort(), [200, 409])
  t.equal(await prisma.moderationLog.count({ where: { reason: id } }), 1)
})

t.test('[P9] [P49] settlements of others, with bad values or of reports that the channel does not have are refused', async t => {
  const { ann, ben, cat, dan, channel, at, report, list, settle } = await arrange()
  const [id, other] = [(await report(dan)).data.report_id, await arrange()]
  const foreign = (await other.report(other.dan)).data.report_id
  for (const resolution of ['open', '', 'Dismissed', null, 1, {}, ['dismissed'], undefined]) {
    const reply = await call(cat, 'PATCH', `${at}/reports/${id}`, { resolution })
    t.match(reply, { status: 400, body: { code: 'invalid_request' } }, JSON.stringify(resolution))
  }
  t.match(await call(cat, 'PATCH', `${at}/reports/${id}`, { resolution: 'dismissed', by: 'x' }), { status: 400 })
  for (const unknown of [foreign, randomUUID(), 'no-id']) {
    t.match(await settle(cat, unknown, 'dismissed'), { status: 404, body: { code: 'report_not_found' } }, unknown)
  }
  for (const by of [ben, dan]) t.match(await settle(by, id, 'dismissed'), { status: 403, body: { code: 'not_authorized' } })

  await ann.request({ type: 'join_channel', channel })
  const hers = (await ann.request({ type: 'send_message', channel, message: 'mine' })).data.id
  const about = (await report(dan, '', hers)).data.report_id
  t.match(await settle(ann, about, 'dismissed'), { status: 404, body: { code: 'report_not_found' } }, 'about oneself')
  t.same((await list(ann)).map(report => report.id), [id], 'nobody lists reports of their own messages')
  t.same((await list(cat)).map(report => report.id), [about, id])
  t.equal(await prisma.report.count({ where: { settledAt: { not: null }, channelName: channel } }), 0)
  t.notOk((await ann.settle()).some(({ type, report }) => type === 'report_filed' && report.id === about), 'nor is the author told')
})

t.test('[P49] admins list and settle all reports, also those of deleted channels, except settling those of their own messages', async t => {
  const { ann, cat, dan, channel, at, report } = await arrange()
  const root = await server.enter('root')
  await rows.role(root, 'admin')
  const id = (await report(dan)).data.report_id
  t.match(await root.expect('report_filed'), { report: { id } })
  await root.request({ type: 'join_channel', channel })
  const theirs = (await root.request({ type: 'send_message', channel, message: 'mine' })).data.id
  const about = (await report(dan, '', theirs)).data.report_id
  const all = '/api/admin/reports'
  for (const by of [ann, cat]) {
    t.match(await call(by, 'GET', `${all}?limit=none`), { status: 403, body: { code: 'not_authorized' } })
    t.match(await call(by, 'PATCH', `${all}/${id}`, { resolution: 'dismissed' }), { status: 403, body: { code: 'not_authorized' } })
  }
  await ann.request({ command: 'delete_channel', channel })
  await ann.request({ command: 'create_channel', name: channel })
  t.same((await call(ann, 'GET', `${at}/reports`)).body.reports, [], 'a new channel of the name has no reports')
  t.match(await call(ann, 'PATCH', `${at}/reports/${id}`, { resolution: 'dismissed' }), { status: 404, body: { code: 'report_not_found' } })
  const open = async () => (await call(root, 'GET', `${all}?status=open&limit=100`)).body.reports
  t.match((await open()).slice(0, 2), [{ id: about, message: 'mine' }, { id, message: 'rude', channel }])
  t.match(await call(root, 'PATCH', `${all}/${about}`, { resolution: 'dismissed' }), { status: 403, body: { code: 'not_authorized' } })
  t.match(await call(root, 'PATCH', `${all}/${id}`, { resolution: 'removed' }), { body: { resolution: 'removed', settled_by: idOf(root) } })
  const unknown = await call(root, 'PATCH', `${all}/${randomUUID()}`, { resolution: 'removed' })
  t.match(unknown, { status: 404, body: { code: 'report_not_found' } })
  t.notOk((await open()).some((report: Frame) => report.id === id))
  const { body: { log } } = await call(root, 'GET', '/api/admin/log')
  t.match(log[0], { action: 'settle_report_removed', actor_id: idOf(root), channel, reason: id })
})

t.test('[P49] reports of a direct channel come from its members and are told to, listed for and settled by admins only', async t => {
  await prisma.$executeRawUnsafe('ALTER TYPE "ChannelType" ADD VALUE IF NOT EXISTS \'direct\'')
  const [ann, ben, eve, root, cat] = await Promise.all(['ann', 'ben', 'eve', 'root', 'cat'].map(name => server.enter(name))) as Someone[]
  for (const admin of [root!, cat!]) await rows.role(admin, 'admin')
  const channel = await rows.channel('public', { name: `direct-${randomUUID().replaceAll('-', '')}` })
  for (const member of [ann!, ben!, cat!]) await rows.member(channel, member)
  const id = await rows.message(channel, ann!)
  await prisma.channelModerator.create({ data: { channelId: channel.id, userId: idOf(ben!) } })
  await prisma.$executeRaw`UPDATE "Channel" SET "channelType" = 'direct' WHERE id = ${channel.id}::uuid`
  const report = (by: Someone): Promise<Frame> => by.exchange({ command: 'report_message', channel: channel.name, id })
  t.match(await report(eve!), { type: 'error', code: /^(not_in_channel|channel_not_found)$/ })
  const { data } = await report(ben!)
  for (const admin of [root!, cat!]) t.match(await admin.expect('report_filed'), { report: { id: data.report_id, message: 'x' } })
  for (const other of [ann!, ben!, eve!]) t.notOk((await other.settle()).some(({ type }) => type === 'report_filed'))
  for (const by of [ben!, root!, cat!]) {
    const at = `/api/channels/${channel.name}/reports`
    for (const refused of [await call(by, 'GET', at), await call(by, 'PATCH', `${at}/${data.report_id}`, { resolution: 'removed' })]) {
      t.match(refused, { body: { code: /^(not_authorized|channel_not_found)$/ } })
    }
  }
  const { body: { reports } } = await call(root!, 'GET', '/api/admin/reports?status=open&limit=1')
  t.match(reports, [{ id: data.report_id, channel: channel.name }])
  const settled = await call(root!, 'PATCH', `/api/admin/reports/${data.report_id}`, { resolution: 'removed' })
  t.match(settled, { status: 200, body: { resolution: 'removed' } })
})

t.test('[P49] none of the requests above caused an internal error', async t => {
  t.same(server.lines.filter(line => JSON.parse(line).level >= 50), [])
})

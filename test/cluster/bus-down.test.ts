import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const bus = await startRedis(t)
const config = { redis: { ...redis(), url: bus.url } }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const rows = createRows(a.database)

// Without the bus each instance learns of changes by the other only from the database.
await bus.kill()
await eventually(() => !a.broker.connected && !b.broker.connected)

const say = (client: Client, channel: string): Promise<Frame> => client.exchange({ type: 'send_message', channel, message: 'hello' })
const join = (client: Client, channel: string, fields: object = {}): Promise<Frame> =>
  client.exchange({ type: 'join_channel', channel, ...fields })

t.test('[P60] with the bus down, a rename and a new role reach connections on the other instance', async t => {
  const admin = await a.enter('admin')
  await rows.role(admin, 'admin')
  const ben = await b.enter('ben', 'names')
  const { access_token: token, user: { id } } = ben.person
  t.equal((await a.call('PATCH', '/api/me', { token, body: { name: 'benjamin' } })).status, 200)
  await eventually(async () => (await say(ben, 'names')).type === 'success' && (await ben.expect('message')).username === 'benjamin')
  const { status } = await a.call('PATCH', `/api/admin/users/${id}`, { token: admin.person.access_token, body: { role: 'moderator' } })
  t.equal(status, 200)
  await eventually(async () => (await join(ben, 'moderator-room')).type === 'success')
})

t.test('[P65] with the bus down, a new handle reaches connections on the other instance', async t => {
  const [ben, cid] = [await b.enter('ben', 'handles'), await b.enter('cid', 'handles')]
  const handle = `h_${randomUUID().slice(0, 8)}`
  const { status } = await a.call('PATCH', '/api/me', { token: ben.person.access_token, body: { handle } })
  t.equal(status, 200)
  await eventually(async () => {
    // So many signals may be over the limit.
    const { type } = await ben.exchange({ type: 'signal', channel: 'handles', event: 'typing' })
    return type === 'success' && (await cid.expect('signal')).handle === handle
  })
})

t.test('[P46] with the bus down, the directory finds everyone and says who is online at the instance that is asked', async t => {
  const [ben, away] = [await b.enter('ben'), await b.register('away')]
  const token = away.access_token
  for (const [server, online] of [[a, false], [b, true]] as const) {
    const { status, body } = await server.call('GET', `/api/users/${ben.person.user.handle}`, { token })
    t.match({ status, body }, { status: 200, body: { id: ben.person.user.id, online } })
  }
})

t.test('[P60] with the bus down, a disconnection by an admin closes connections on the other instance, but not later ones', async t => {
  const admin = await a.enter('admin')
  await rows.role(admin, 'admin')
  const ben = await b.enter('ben')
  const { status } = await a.call('DELETE', `/api/admin/users/${ben.person.user.id}/connections`, { token: admin.person.access_token })
  t.equal(status, 204)
  t.match(await ben.closed(), { code: 4503 })
  const again = await b.login(ben.person)
  const witness = await b.enter('witness')
  await a.call('DELETE', `/api/admin/users/${witness.person.user.id}/connections`, { token: admin.person.access_token })
  await witness.closed()
  t.equal((await again.request({ type: 'heartbeat' })).type, 'heartbeat_ack')
})

t.test('[P47] with the bus down, the other user of a direct channel is told of it, once', async t => {
  const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
  const { data: { channel: { name } } } = await ann.request({ type: 'open_direct', user_id: ben.person.user.id })
  await join(ann, name)
  await say(ann, name)
  t.match(await ben.expect('direct_opened'), { channel: { name, peer: { username: 'ann' } } })
  await join(ben, name)
  await ben.request({ type: 'leave_channel', channel: name })
  await say(ann, name)
  t.match(await ben.expect('direct_opened'), { channel: { name, last_seq: 2 } })
  // A later check of the database also finds what was told before.
  const carl = await a.enter('carl')
  await carl.request({ type: 'open_direct', user_id: ben.person.user.id })
  const { body } = await a.call('GET', '/api/channels?type=direct', { token: carl.person.access_token })
  const other = body.channels[0].name
  await join(carl, other)
  await say(carl, other)
  t.match(await ben.expect('direct_opened'), { channel: { name: other } })
  t.notOk((await ben.settle()).some(({ type }) => type === 'direct_opened'))
})

t.test('[P48] with the bus down, a block on one instance and its end bind signals on the other', async t => {
  const [ann, ben] = [await a.enter('ann'), await b.enter('ben')]
  const { data: { channel: { name } } } = await ann.request({ type: 'open_direct', user_id: ben.person.user.id })
  await join(ben, name)
  const signal = (): Promise<Frame> => ben.exchange({ type: 'signal', channel: name, event: 'typing' })
  t.equal((await signal()).action, 'signal_sent')
  await ann.request({ type: 'block_user', user_id: ben.person.user.id })
  t.same(await say(ben, name), failure('blocked'), 'at once for messages')
  await eventually(async () => (await signal()).code === 'blocked')
  await ann.request({ type: 'unblock_user', user_id: ben.person.user.id })
  t.equal((await say(ben, name)).action, 'message_sent')
  await eventually(async () => (await signal()).action === 'signal_sent')
})

t.test('[P60] [P30] with the bus down, a resume with the channel_id of a deleted channel is like one with an unknown id', async t => {
  const owner = await a.enter('owner')
  const create = { type: 'command', command: 'create_channel', name: 'phoenix' }
  await owner.request(create)
  await owner.request({ type: 'join_channel', channel: 'phoenix' })
  const [ben, carl] = [await b.enter('ben'), await b.enter('carl')]
  const former = (await join(ben, 'phoenix')).data.channel_id
  await join(carl, 'phoenix')
  await owner.request({ type: 'send_message', channel: 'phoenix', message: 'in the deleted channel' })

  await owner.request({ type: 'command', command: 'delete_channel', channel: 'phoenix' })
  await owner.request(create)
  await owner.request({ type: 'join_channel', channel: 'phoenix' })
  for (let i = 0; i < 3; i++) await owner.request({ type: 'send_message', channel: 'phoenix', message: 'in the new channel' })

  // Whether or not this instance knows of the deletion yet, the message must not be stored in the new channel.
  const { code } = await say(carl, 'phoenix')
  t.ok(code === 'channel_not_found' || code === 'not_in_channel', code)
  await carl.expect('channel_deleted')
  t.same(await say(carl, 'phoenix'), failure('not_in_channel'))

  const resumed = await join(ben, 'phoenix', { since: 1, channel_id: former })
  t.match(resumed.data, { recovered: false, messages: [], seq: 3 })
  t.not(resumed.data.channel_id, former)
  /** The reply without what is about the members and the user. */
  const startOf = ({ data: { user_count: _, me: __, ...data }, ...reply }: Frame): object => ({ ...reply, data })
  const unknown = await join(await b.enter('dora'), 'phoenix', { since: 1, channel_id: randomUUID() })
  t.same(startOf(unknown), startOf(resumed), 'same as for an unknown channel_id')
  const again = await join(ben, 'phoenix', { since: 1, channel_id: former })
  t.same(startOf(again), startOf(resumed), 'the answer is the same from the new subscription')
  await owner.request({ type: 'send_message', channel: 'phoenix', message: 'live' })
  t.match(await ben.expect(({ type, message }) => type === 'message' && message === 'live'), { seq: 4 })
})

t.test('[P42] with the bus down, a mute and its end bind signals on the other instance; signals stay on their instance', async t => {
  const owner = await a.enter('owner', 'quiet')
  const [ben, carl] = [await b.enter('ben', 'quiet'), await b.enter('carl', 'quiet')]
  const signal = () => ben.exchange({ type: 'signal', channel: 'quiet', event: 'typing' })
  t.equal((await signal()).action, 'signal_sent')
  await carl.expect('signal')
  const about = { channel: 'quiet', user_id: ben.person.user.id }
  await owner.request({ command: 'mute_user', ...about })
  await eventually(async () => (await signal()).code === 'muted')
  await owner.request({ command: 'unmute_user', ...about })
  await eventually(async () => (await signal()).action === 'signal_sent')
  await owner.request({ command: 'kick_user', ...about })
  await eventually(async () => (await signal()).code === 'not_in_channel')
  t.notOk((await owner.settle()).some(({ type }) => type === 'signal'))
})

t.test('[P33] [P50] with the bus down, new settings are told to the subscribers on both instances', async t => {
  const ann = await a.enter('ann', 'settings')
  const ben = await b.enter('ben', 'settings')
  await ann.request({ command: 'update_channel', channel: 'settings', topic: 'news' })
  for (const client of [ann, ben]) t.match(await client.expect('channel_updated'), { channel: 'settings', topic: 'news' })
  const { status } = await b.call('PATCH', '/api/channels/settings', { token: ann.person.access_token, body: { topic: 'more' } })
  t.equal(status, 200)
  for (const client of [ann, ben]) t.match(await client.expect('channel_updated'), { topic: 'more' })
})

t.test('[P33] [P38] [P39] with the bus down, a reply with data and edits of it reach the other instance as they are', async t => {
  const [ann, ben] = [await a.enter('ann', 'replies'), await b.enter('ben', 'replies')]
  const { data: { id: target } } = await say(ann, 'replies')
  await ann.request({ type: 'send_message', channel: 'replies', client_id: 'k', reply_to: target, data: { poll: [1, null] } })
  const isReply = ({ type, seq }: Frame): boolean => type === 'message' && seq === 2
  const reply = await ann.expect(isReply)
  t.match(reply, { message: '', data: { poll: [1, null] } })
  t.same(await ben.expect(isReply), reply)
  for (const data of ['new', null]) {
    await ann.request({ command: 'edit_message', channel: 'replies', id: reply.id, message: 'x', data })
    t.match(await ann.expect('message_edited'), { data })
    t.match(await ben.expect('message_edited'), { id: reply.id, message: 'x', data })
  }
})

t.test('[P49] with the bus down, reports are made and settled on either instance; moderators on the same one are told', async t => {
  const owner = await a.enter('owner')
  await owner.request({ command: 'create_channel', name: 'reports' })
  const apart = await b.login(owner.person)
  const [ben, carl] = [await a.enter('ben', 'reports'), await b.enter('carl', 'reports')]
  const { data: { id } } = await say(ben, 'reports')
  const { data: { report_id: reportId } } = await carl.request({ command: 'report_message', channel: 'reports', id })
  t.match(await apart.expect('report_filed'), { report: { id: reportId, message: 'hello' } })
  const token = owner.person.access_token
  const list = await a.call('GET', '/api/channels/reports/reports?status=open', { token })
  t.match(list.body.reports, [{ id: reportId, message: 'hello' }])
  const { status } = await a.call('PATCH', `/api/channels/reports/reports/${reportId}`, { token, body: { resolution: 'dismissed' } })
  t.equal(status, 200)
  t.match((await b.call('GET', '/api/channels/reports/reports', { token })).body.reports, [{ resolution: 'dismissed' }])
})

t.teardown(() => bus.kill())

import type { Client, Frame } from '../client.ts'
import { eventually } from '../eventually.ts'
import { banned, failure, redis, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const config = { redis: redis() }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
const rows = createRows(a.database)

/** Creates a channel: the owner is on A, the target has connections on both instances, and a witness is on B. */
async function cast (channel: string) {
  const owner = await a.enter('owner')
  await owner.request({ type: 'command', command: 'create_channel', name: channel })
  await owner.request({ type: 'join_channel', channel })
  const target = await b.enter('target', channel)
  const tab = await a.login(target.person)
  const apart = await b.login(target.person)
  await tab.request({ type: 'join_channel', channel })
  const witness = await b.enter('witness', channel)
  const { id } = target.person.user
  const command = (name: string, fields: object = {}): Promise<Frame> =>
    owner.request({ type: 'command', command: name, channel, user_id: id, ...fields })
  /** `everywhere`: the target's connections in the channel on both instances, and one on B that is in no channel. */
  return { owner, target, tab, apart, witness, command, everywhere: [target, tab, apart] }
}

const speak = (client: Client, channel: string): Promise<Frame> => client.exchange({ type: 'send_message', channel, message: 'may I?' })

t.test('[P20] [P33] a kick on one instance ends the subscription on the other, and all connections of the user are told', async t => {
  const { target, tab, everywhere, witness, command } = await cast('kicks')
  await command('kick_user')
  for (const client of everywhere) t.match(await client.expect('kicked_from_channel'), { channel: 'kicks' })
  for (const client of [target, tab]) t.same(await speak(client, 'kicks'), failure('not_in_channel'))
  await witness.expect(({ type, username }) => type === 'user_left' && username === 'target')
  await witness.request({ type: 'send_message', channel: 'kicks', message: 'after the kick' })
  for (const client of everywhere) {
    await client.settle()
    t.notOk(client.inbox.some(({ message }) => message === 'after the kick'))
  }
})

t.test('[P22] a ban on one instance refuses joins on the other until it is lifted', async t => {
  const { target, everywhere, witness, command } = await cast('bans')
  await command('ban_user', { reason: 'noise' })
  for (const client of everywhere) {
    t.match(await client.expect('banned_from_channel'), { channel: 'bans', reason: 'noise', expires_at: null })
  }
  // The notice may arrive before the target's instance has confirmed the end of the membership; until then the answer is `banned`.
  await witness.expect(({ type, username }) => type === 'user_left' && username === 'target')
  t.same(await speak(target, 'bans'), failure('not_in_channel'))
  t.same(await target.exchange({ type: 'join_channel', channel: 'bans' }), banned({ reason: 'noise' }))
  await command('unban_user')
  for (const client of everywhere) await client.expect('unbanned_from_channel')
  t.equal((await target.request({ type: 'join_channel', channel: 'bans' })).action, 'channel_joined')
})

t.test('[P22] a mute on one instance refuses the next message on the other', async t => {
  const { target, everywhere, command } = await cast('mutes')
  await command('mute_user', { duration: 600 })
  t.match(await speak(target, 'mutes'), { type: 'error', code: 'muted' })
  for (const client of everywhere) t.match(await client.expect('muted_in_channel'), { duration: 600 })
  await command('unmute_user')
  t.equal((await speak(target, 'mutes')).action, 'message_sent')
})

t.test('[P24] deleting a channel on one instance ends its subscriptions on the other', async t => {
  const { owner, target, witness } = await cast('gone')
  await owner.request({ type: 'command', command: 'delete_channel', channel: 'gone' })
  for (const client of [owner, target, witness]) {
    t.match(await client.expect('channel_deleted'), { channel: 'gone' })
    t.match(await speak(client, 'gone'), failure('not_in_channel'))
  }
})

t.test('[P19] changing a channel to type admin on one instance ends subscriptions of other users on the other', async t => {
  const { owner, target } = await cast('closing')
  await rows.role(owner, 'admin')
  const { status } = await a.call('PATCH', '/api/channels/closing', { token: owner.person.access_token, body: { channel_type: 'admin' } })
  t.equal(status, 200)
  await target.expect('kicked_from_channel')
  t.same(await speak(target, 'closing'), failure('not_in_channel'))
})

t.test('[P42] signals reach the other instance, where a mute and its end bind them too', async t => {
  const { owner, target, tab, witness, command } = await cast('signals')
  const signal = (client: Client) => client.exchange({ type: 'signal', channel: 'signals', event: 'typing', data: { typing: true } })
  t.equal((await signal(target)).action, 'signal_sent')
  const { id, name } = target.person.user
  for (const client of [owner, tab, witness]) {
    t.match(await client.expect('signal'), { channel: 'signals', event: 'typing', user_id: id, username: name, data: { typing: true } })
  }
  t.notOk((await target.settle()).some(({ type }) => type === 'signal'))
  await command('mute_user')
  t.equal((await signal(tab)).code, 'muted', 'at once on the instance of the moderator')
  await eventually(async () => (await signal(target)).code === 'muted')
  await command('unmute_user')
  t.equal((await signal(tab)).action, 'signal_sent')
  await eventually(async () => (await signal(target)).action === 'signal_sent')
})

t.test('[P50] [P60] new settings are told to the subscribers on every instance; a join on the other shows them', async t => {
  const { owner, target, tab, witness, command } = await cast('topics')
  await command('update_channel', { topic: 'news' })
  for (const client of [owner, target, tab, witness]) {
    t.match(await client.expect('channel_updated'), { channel: 'topics', channel_type: 'public', topic: 'news' })
  }
  const { data } = await (await b.enter('late')).request({ type: 'join_channel', channel: 'topics' })
  t.equal(data.topic, 'news')
})

t.test('an invitation on one instance is announced on the other and allows the user to join there', async t => {
  const { owner, target, everywhere, apart } = await cast('lobby')
  await owner.request({ type: 'command', command: 'create_channel', name: 'den', channel_type: 'private' })
  t.same(await apart.exchange({ type: 'join_channel', channel: 'den' }), failure('channel_not_found'))
  await owner.request({ type: 'command', command: 'invite_user', channel: 'den', user_id: target.person.user.id })
  for (const client of everywhere) t.match(await client.expect('invited_to_channel'), { channel: 'den', channel_type: 'private' })
  t.equal((await apart.request({ type: 'join_channel', channel: 'den' })).action, 'channel_joined')
})

t.test('[P15] disabling, disconnecting and erasing an account on one instance close its connections on the other with 4503', async t => {
  const admin = await a.enter('admin')
  await rows.role(admin, 'admin')
  const token = admin.person.access_token
  const acts = [
    ['PATCH', '', { disabled: true }],
    ['DELETE', '/connections', undefined],
    ['DELETE', '', undefined]
  ] as const
  for (const [method, path, body] of acts) {
    const target = await b.enter('target')
    const { status } = await a.call(method, `/api/admin/users/${target.person.user.id}${path}`, { token, ...body && { body } })
    t.ok(status < 300, `${method} ${path}: ${status}`)
    t.match(await target.closed(), { code: 4503, reason: 'disconnected by administrator' })
  }
})

t.test('[P15] a new role and a new name take effect for connections on the other instance', async t => {
  const admin = await a.enter('admin')
  await rows.role(admin, 'admin')
  const ben = await b.enter('ben', 'names')
  const id = ben.person.user.id
  const creation = { type: 'command', command: 'create_channel', name: 'admin-x', channel_type: 'admin' }
  t.same(await ben.exchange(creation), failure('not_authorized'))
  await a.call('PATCH', `/api/admin/users/${id}`, { token: admin.person.access_token, body: { role: 'admin' } })
  t.equal((await ben.request(creation)).action, 'channel_created')
  t.equal((await a.call('PATCH', '/api/me', { token: ben.person.access_token, body: { name: 'benjamin' } })).status, 200)
  await eventually(async () => {
    await speak(ben, 'names')
    return (await ben.expect('message')).username === 'benjamin'
  })
})

t.test('[P12] a logout on one instance closes only the connections of that login on the other, with 4504', async t => {
  const ben = await b.enter('ben')
  const again = (await a.call('POST', '/api/auth/login', { body: { email: ben.person.email, password: ben.person.password } })).body
  const other = await b.login({ ...ben.person, ...again })
  await a.call('POST', '/api/auth/logout', { token: ben.person.access_token, body: { refresh_token: ben.person.refresh_token } })
  t.match(await ben.closed(), { code: 4504, reason: 'session revoked' })
  t.equal((await other.request({ type: 'heartbeat' })).type, 'heartbeat_ack')
})

t.test('an announcement reaches every authenticated connection of every instance, and no other connection', async t => {
  const admin = await a.enter('admin')
  await rows.role(admin, 'admin')
  const listeners = [await a.enter('ann'), await b.enter('ben'), await b.enter('carl')]
  const stranger = await b.connect()
  const { status } = await a.call('POST', '/api/admin/announcements', { token: admin.person.access_token, body: { message: 'tea' } })
  t.equal(status, 204)
  for (const client of [admin, ...listeners]) t.match(await client.expect('announcement'), { message: 'tea' })
  await stranger.settle()
  t.same(stranger.inbox, [])
})

import { uuidv7 } from 'uuidv7'
import { createStores } from '../../src/domain.ts'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { openEmbeddedDatabase } from '../routes/rest.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createScene, notice, some } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const rows = createRows(server.database)
const { arrange } = createScene(server)

const update = { command: 'update_channel' }
const settings = { channel_type: 'public', topic: '', slow_mode: 0, retention: null }

t.test('[P50] a channel is created with its settings, and a join, channel_list and REST show them', async t => {
  const ann = await server.enter('ann')
  const name = some()
  const { data } = await ann.request({ command: 'create_channel', name, topic: 'tea & cake', slow_mode: 30, retention: 7 })
  t.same(Object.keys(data.channel), ['id', 'name', 'channel_type', 'created_at'], 'the reply is as it was')
  t.match((await ann.request({ type: 'join_channel', channel: name })).data, { topic: 'tea & cake' })
  const { channels } = await ann.request({ type: 'channel_list', limit: 100 })
  t.match(channels.find((channel: Frame) => channel.name === name), { topic: 'tea & cake' })
  const token = ann.person.access_token
  t.match((await server.call('GET', `/api/channels/${name}`, { token })).body, { topic: 'tea & cake', slow_mode: 30, retention: 7 })
  const made = await server.call('POST', '/api/channels', { token, body: { name: some(), topic: 'coffee', slow_mode: 21_600 } })
  t.match(made, { status: 201, body: { topic: 'coffee', slow_mode: 21_600 } })
})

t.test('[P50] update_channel changes what it names and nothing else, and all subscribers are told, over WebSocket and REST', async t => {
  const { ann, ben, tab, name } = await arrange()
  const shown = { channel: name, ...settings, topic: 'one' }
  t.same(await ann.exchange({ ...update, channel: name, topic: 'one' }), { type: 'success', action: 'channel_updated', data: shown })
  t.same(await notice([ann, ben], 'channel_updated'), { type: 'channel_updated', ...shown })

  const patch = await server.call('PATCH', `/api/channels/${name}`, { token: ann.person.access_token, body: { topic: 'two' } })
  t.match(patch, { status: 200, body: { name, ...settings, topic: 'two' } })
  t.match(await notice([ann, ben], 'channel_updated'), { topic: 'two' })

  t.match(await ann.exchange({ ...update, channel: name, channel_type: 'private' }), { data: { channel_type: 'private', topic: 'two' } })
  t.match(await notice([ann, ben], 'channel_updated'), { channel_type: 'private', topic: 'two' })

  t.match(await ann.exchange({ ...update, channel: name, topic: 'two', channel_type: 'private' }), { action: 'channel_updated' })
  const changes = { topic: '', slow_mode: 10, retention: 90 }
  t.match(await ann.exchange({ ...update, channel: name, ...changes }), { data: changes })
  t.match(await notice([ann, ben], 'channel_updated'), changes, 'what changes nothing is told to nobody')
  t.match(await ann.exchange({ ...update, channel: name, retention: null }), { data: { slow_mode: 10, retention: null } })
  t.match(await notice([ann, ben], 'channel_updated'), { slow_mode: 10, retention: null })
  t.notOk((await tab.settle()).some(({ type }) => type === 'channel_updated'), 'only subscribers are told')
})

t.test('[P50] moderators may change topic and slow mode but not the rest, and a request with both changes nothing', async t => {
  const { ann, ben, name, id } = await arrange()
  await ann.request({ command: 'add_moderator', channel: name, user_id: id })
  t.match(await ben.exchange({ ...update, channel: name, topic: 'by ben', slow_mode: 5 }), { data: { topic: 'by ben', slow_mode: 5 } })
  t.same(await ben.exchange({ ...update, channel: name, topic: 'no', channel_type: 'private' }), failure('not_authorized'))
  for (const retention of [1, null]) {
    t.same(await ben.exchange({ ...update, channel: name, topic: 'no', retention }), failure('not_authorized'))
  }
  t.same(await ann.exchange({ ...update, channel: name, topic: 'no', retention: 1, channel_type: 'admin' }), failure('not_authorized'))
  await ann.request({ command: 'remove_moderator', channel: name, user_id: id })
  for (const change of [{ topic: 'no' }, { slow_mode: 0 }]) {
    t.same(await ben.exchange({ ...update, channel: name, ...change }), failure('not_authorized'))
  }
  t.match(await prisma.channel.findUnique({ where: { name } }), { topic: 'by ben', slowMode: 5, retention: null, channelType: 'public' })
})

t.test('[P9] [P50] settings with a bad value and requests without a setting are refused, and nothing is stored', async t => {
  const { ann, name } = await arrange()
  const token = ann.person.access_token
  const bad = [
    {}, { topic: null }, { topic: 7 }, { topic: ['x'] }, { topic: 'a\0b' }, { topic: '\ud800' }, { topic: '😀'.repeat(251) },
    ...[null, '5', -1, 1.5, 21_601, 1e12, [5]].map(slow_mode => ({ slow_mode })),
    ...['5', 0, -1, 1.5, 36_501, [5]].map(retention => ({ retention }))
  ]
  for (const fields of bad) {
    const what = JSON.stringify(fields)
    // Ten unreadable frames would end a connection [4501].
    const client = await server.login(ann.person)
    const reply = await client.exchange({ ...update, channel: name, ...fields })
    t.match(reply, { code: 'invalid_frame', message: /^Invalid message: .+/ }, what)
    const patch = await server.call('PATCH', `/api/channels/${name}`, { token, body: fields })
    t.match(patch, { status: 400, body: { code: 'invalid_request' } })
    if (what === '{}') continue
    const made = some()
    t.match(await client.exchange({ command: 'create_channel', name: made, ...fields }), { code: 'invalid_frame' })
    t.match(await server.call('POST', '/api/channels', { token, body: { name: made, ...fields } }), { body: { code: 'invalid_request' } })
    t.equal(await prisma.channel.count({ where: { name: made } }), 0)
  }
  t.same(await ann.exchange({ ...update, channel: name, channel_type: 'secret' }), failure('invalid_channel_type'))
  t.match(await prisma.channel.findUnique({ where: { name } }), { topic: '', slowMode: 0, retention: null, settingsVersion: 0 })
  const longest = '😀'.repeat(250)
  t.match(await ann.exchange({ ...update, channel: name, topic: longest }), { data: { topic: longest } })
})

t.test('[P50] [P59] the topic counts in the size of a reply to a join', async t => {
  const small = await startServer(t, {
    config: { channels: { max_topic_length: 4000, max_message_length: 4000 }, performance: { max_buffered: 65_536 } }
  })
  const ann = await small.enter('ann')
  await ann.request({ command: 'create_channel', name: 'long', topic: '\u0001'.repeat(4000) })
  await ann.request({ type: 'join_channel', channel: 'long' })
  for (let i = 0; i < 10; i++) await ann.request({ type: 'send_message', channel: 'long', message: 'x'.repeat(1000) })
  const { data } = await ann.request({ type: 'join_channel', channel: 'long', history: 10 })
  t.ok(JSON.stringify(data).length <= 32_768)
  t.ok(data.messages.length > 0)
})

t.test('[P50] an upgrade keeps instances of the release before working: their calls of changed functions succeed', async t => {
  const ann = await server.register('ann')
  const [id, name] = [(await rows.channel()).id, some()]
  const calls = [
    `SELECT parley_create_channel('${ann.user.id}', gen_random_uuid(), '${name}', 'public', 0, 0, 0, NULL) AS code`,
    `SELECT code FROM parley_set_channel_type('${ann.user.id}', '${name}', 'private', NULL)`,
    `SELECT code FROM parley_join('[{"u":"${ann.user.id}","n":"${name}","i":"${id}"}]'::json, 0, 0, 'general', true, 0, 0)`
  ]
  for (const sql of calls) t.same(await prisma.$queryRawUnsafe(sql), [{ code: null }], sql)
})

t.test('[P50] on the embedded database channels have settings too, and joins say them', async t => {
  const database = await openEmbeddedDatabase(t)
  const { channels, memberships } = createStores(database)
  const user = await database.prisma.user.create({ data: { name: 'ann', email: 'ann@example.org' } })
  const actor = { userId: user.id, sid: null }
  const rules = { maxChannels: 0, maxCreated: 0, createdPerMinute: 0, maxUsers: 0, defaultRoom: 'general', createMissing: true }
  t.equal(await channels.create(actor, uuidv7(), 'room', 'public', { topic: 'tea', retention: 7 }, rules), null)
  t.match(await channels.update(actor, 'room', { slow_mode: 5 }), { code: null, isChanged: true, removed: null })
  t.match(await channels.update(actor, 'room', { slow_mode: 5, channel_type: 'private' }), { isChanged: true, removed: [] })
  const settings = { topic: 'tea', slow_mode: 5, retention: 7, channel_type: 'private' }
  const join = (channelName: string) => memberships.join([{ ...actor, channelName, newId: uuidv7() }], rules)
  t.match(await join('room'), [{ settings, userCount: 1, place: { role: 'user', is_moderator: true, muted_until: null } }])
  t.match(await join('fresh'), [{ settings: { topic: '', slow_mode: 0, retention: null }, userCount: 1, place: { is_moderator: true } }])
  t.match(await channels.find(actor, 'room'), { channel: settings })
})

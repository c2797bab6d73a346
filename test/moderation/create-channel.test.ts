import { failure, startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createScene, some } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const { arrange } = createScene(server)

t.test('create_channel takes the type from `type` (as in the guide) or `channel_type`, which wins; the creator can moderate', async t => {
  const ann = await server.enter('ann')
  const forms: Array<[object, string]> = [
    [{ type: 'public' }, 'public'], [{ type: 'private' }, 'private'], [{ type: 'command' }, 'public'], [{}, 'public'],
    [{ type: 'admin' }, 'public'], [{ type: 'send_message' }, 'public'], [{ type: 7 }, 'public'],
    [{ type: 'public', channel_type: 'private' }, 'private'], [{ type: 'private', channel_type: 'public' }, 'public']
  ]
  for (const [form, type] of forms) {
    const name = some()
    const { data, ...reply } = await ann.exchange({ ...form, command: 'create_channel', name })
    const { id, created_at: createdAt, ...channel } = data.channel
    t.same(reply, { type: 'success', action: 'channel_created' })
    t.same(channel, { name, channel_type: type }, JSON.stringify(form))
    t.equal(new Date(createdAt).toISOString(), createdAt)
    const member = { channelId: id, userId: ann.person.user.id }
    t.equal(await prisma.channelUser.count({ where: member }), 1)
    t.equal(await prisma.channelModerator.count({ where: member }), 1)
    t.match(await prisma.channel.findUnique({ where: { id } }), { name, channelType: type, createdBy: ann.person.user.id, userCount: 1 })
    t.equal((await ann.exchange({ type: 'send_message', channel: name, message: 'x' })).code, 'not_in_channel', 'not subscribed')
    t.equal((await ann.exchange({ ...form, command: 'create_channel', name })).code, 'channel_exists')
  }
})

t.test('[P17] [P18] create_channel refuses invalid names and types, and types that the name or the role does not allow', async t => {
  const ann = await server.enter('ann')
  const cases: Array<[object, string]> = [
    [{}, 'channel_required'], [{ name: null }, 'channel_required'], [{ name: ' ' }, 'channel_required'],
    [{ name: 'Über' }, 'invalid_channel_name'], [{ name: 7 }, 'invalid_frame'],
    [{ name: some(), channel_type: 'secret' }, 'invalid_channel_type'], [{ name: some(), channel_type: 7 }, 'invalid_frame'],
    [{ name: some(), channel_type: 'admin' }, 'not_authorized'], [{ name: some(), channel_type: 'moderator' }, 'not_authorized'],
    [{ name: 'admin-x' }, 'not_authorized'], [{ name: 'moderator-x', channel_type: 'private' }, 'not_authorized'],
    [{ name: 'admin-x', channel_type: 'admin' }, 'not_authorized']
  ]
  for (const [fields, code] of cases) {
    t.equal((await ann.exchange({ type: 'command', command: 'create_channel', ...fields })).code, code, JSON.stringify(fields))
  }
  const boss = await server.enter('boss')
  await prisma.user.update({ where: { id: boss.person.user.id }, data: { role: 'admin' } })
  const make = (name: string, type: string) => boss.exchange({ command: 'create_channel', name, channel_type: type })
  t.equal((await make('admin-x', 'public')).code, 'not_authorized')
  t.equal((await make('moderator-x', 'admin')).code, 'not_authorized')
  t.match(await make('admin-x', 'admin'), { data: { channel: { channel_type: 'admin' } } })
  t.match(await make('moderator-x', 'moderator'), { data: { channel: { channel_type: 'moderator' } } })
  t.match(await make(some(), 'moderator'), { data: { channel: { channel_type: 'moderator' } } })
})

t.test('[P21] create_channel makes the creator a member, and is refused at the cap of memberships', async t => {
  const capped = await startServer(t, { config: { channels: { max_channels_per_user: 2 } } })
  const ann = await capped.enter('ann')
  const codes = []
  for (const name of ['a', 'b', 'c']) codes.push((await ann.exchange({ command: 'create_channel', name })).code)
  t.same(codes, [undefined, undefined, 'too_many_channels'])
  t.equal(await capped.database.prisma.channel.count({ where: { name: 'c' } }), 0)
})

t.test('delete_channel is allowed to the creator, and the name is free afterwards', async t => {
  const { ann, ben, name } = await arrange()
  t.same(await ben.exchange({ command: 'delete_channel', channel: name }), failure('not_authorized'))
  const deleted = { type: 'success', action: 'channel_deleted', data: { channel: name } }
  t.same(await ann.exchange({ command: 'delete_channel', channel: name }), deleted)
  await ben.expect('channel_deleted')
  t.same(await ann.exchange({ command: 'delete_channel', channel: name }), failure('channel_not_found'))
  t.match(await ben.exchange({ command: 'create_channel', name }), { action: 'channel_created' })
})

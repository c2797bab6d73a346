import { randomUUID } from 'node:crypto'
import { commands, type CommandName } from '../../src/requests/table.ts'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { userActs } from '../rights.ts'
import { t } from '../tap.ts'
import { createScene, notice, some } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const { arrange, log } = createScene(server)

t.test('[P9] every command checks its required fields and its user, and unknown commands are refused', async t => {
  const { ann, name, id } = await arrange()
  for (const command of userActs) {
    const ask = (fields: object): Promise<Frame> => ann.exchange({ type: 'command', command, ...fields })
    t.same(await ask({ user_id: id }), failure('channel_required'), command)
    t.same(await ask({ channel: name }), failure('user_required'))
    t.same(await ask({ channel: name, user_id: '' }), failure('user_required'))
    t.same(await ask({ channel: name, user_id: 'ben' }), failure('user_not_found'))
    t.same(await ask({ channel: name, user_id: randomUUID() }), failure('user_not_found'))
    t.equal((await ask({ channel: name, user_id: 7 })).code, 'invalid_frame')
    t.same(await ask({ channel: 'no-such-channel', user_id: id }), failure('channel_not_found'))
    t.match(await ask({ channel: name, user_id: id.toUpperCase() }), { type: 'success', data: { user_id: id } })
  }
  for (const [command, text] of [['promote', 'promote'], [null, ''], ['__proto__', '__proto__'], ['x'.repeat(99), 'x'.repeat(64)]]) {
    t.same(await ann.exchange({ type: 'send_message', command, channel: name, message: 'x' }),
      { type: 'error', code: 'unknown_command', message: `Unknown command: ${text}` })
  }
})

t.test('[P9] fields that a command does not have are ignored, whatever their values are', async t => {
  const { name, id, command } = await arrange()
  const odd = [{ duration: 'x' }, { duration: 1e12 }, { reason: { a: 1 } }, { reason: 'a\0b' }, { reason: 7 }]
  const simple = userActs.filter(name => !('duration' in commands[name as CommandName].fields))
  for (const act of simple) {
    for (const fields of odd) {
      t.match(await command(act, fields), { type: 'success', data: { channel: name, user_id: id } }, `${act} ${JSON.stringify(fields)}`)
    }
  }
  t.match(await command('mute_user', { reason: { a: 1 } }), { type: 'success' })
  t.ok((await log(name)).every(entry => entry.reason === null))
})

t.test('invite_user tells every connection of the invited user once, and tells no member', async t => {
  const { ann, ben, tab, name, id, command } = await arrange('private')
  t.equal((await ben.exchange({ type: 'join_channel', channel: name })).code, 'channel_not_found')
  t.same(await command('invite_user'), { type: 'success', action: 'user_invited', data: { channel: name, user_id: id } })
  t.same(await notice([ben, tab], 'invited_to_channel'), { type: 'invited_to_channel', channel: name, channel_type: 'private' })
  t.match(await command('invite_user'), { action: 'user_invited' })
  await ben.request({ type: 'join_channel', channel: name })
  t.match(await command('invite_user'), { action: 'user_invited' })
  for (const client of [ben, tab]) t.notOk((await client.settle()).some(({ type }) => type === 'invited_to_channel'))
  t.same(await log(name), [{ actorId: ann.person.user.id, action: 'invite_user', targetId: id, reason: null }])
})

t.test('[P20] kick_user ends membership, subscriptions and invitation, and tells every connection', async t => {
  const { ann, ben, tab, name, id, command } = await arrange()
  await tab.request({ type: 'join_channel', channel: name })
  t.same(await command('kick_user'), { type: 'success', action: 'user_kicked', data: { channel: name, user_id: id } })
  t.same(await notice([ben, tab], 'kicked_from_channel'), { type: 'kicked_from_channel', channel: name })
  await ann.expect(frame => frame.type === 'user_left' && frame.user_id === id)
  await ann.request({ type: 'send_message', channel: name, message: 'without ben' })
  for (const client of [ben, tab]) {
    t.same(await client.exchange({ type: 'send_message', channel: name, message: 'x' }), failure('not_in_channel'))
    t.notOk((await client.settle()).some(({ type }) => type === 'message'))
  }
  t.match(await prisma.channel.findUnique({ where: { name } }), { userCount: 1 })
  t.match(await command('kick_user'), { action: 'user_kicked' }, 'a second kick has no effect')
  t.notOk((await ben.settle()).some(({ type }) => type === 'kicked_from_channel'))
  await ben.request({ type: 'join_channel', channel: name })

  const hidden = await arrange('private')
  await hidden.command('invite_user')
  await hidden.command('kick_user')
  t.same(await hidden.ben.exchange({ type: 'join_channel', channel: hidden.name }), failure('channel_not_found'))
  t.same((await log(hidden.name)).map(entry => entry.action), ['invite_user', 'kick_user'])
})

t.test('add_moderator gives the right to moderate and remove_moderator takes it away, from the next frame on', async t => {
  const { ann, ben, name, id, command } = await arrange()
  const eve = await server.enter('eve', name)
  const kick = { type: 'command', command: 'kick_user', channel: name, user_id: eve.person.user.id }
  t.same(await ben.exchange(kick), failure('not_authorized'))
  t.same(await command('add_moderator'), { type: 'success', action: 'moderator_added', data: { channel: name, user_id: id } })
  t.match(await command('add_moderator'), { action: 'moderator_added' })
  t.match(await ben.exchange(kick), { action: 'user_kicked' })
  t.same(await ben.exchange({ ...kick, command: 'add_moderator' }), failure('not_authorized'), 'a moderator may not add moderators')
  t.same(await ben.exchange({ ...kick, user_id: ann.person.user.id }), failure('not_authorized'), 'a moderator may not kick the creator')

  await eve.request({ type: 'join_channel', channel: name })
  t.same(await command('remove_moderator'), { type: 'success', action: 'moderator_removed', data: { channel: name, user_id: id } })
  t.same(await ben.exchange(kick), failure('not_authorized'))
  t.match(await command('remove_moderator'), { action: 'moderator_removed' })
  t.same((await log(name)).map(entry => entry.action), ['add_moderator', 'kick_user', 'remove_moderator'])
})

t.test('[P15] commands of a moderator that are under way are refused once the moderator\'s demotion has committed', async t => {
  const mod = await server.enter('mod')
  const id = mod.person.user.id
  await prisma.user.update({ where: { id }, data: { role: 'moderator' } })
  const boss = await server.enter('boss')
  await prisma.user.update({ where: { id: boss.person.user.id }, data: { role: 'admin' } })
  const name = some()
  await boss.request({ command: 'create_channel', name, channel_type: 'moderator' })
  const eve = await server.enter('eve')
  const ban = { type: 'command', command: 'ban_user', channel: name, user_id: eve.person.user.id }
  t.match(await mod.exchange(ban), { action: 'user_banned' })
  const bans = Array.from({ length: 20 }, () => mod.exchange(ban))
  const demoted = server.call('PATCH', `/api/admin/users/${id}`, { token: boss.person.access_token, body: { role: 'user' } })
  const codes = (await Promise.all(bans)).map(({ code }) => code)
  t.equal((await demoted).status, 200)
  const refused = codes.slice(codes.filter(code => code === undefined).length)
  t.ok(refused.every(code => code === 'not_authorized'), `allowed before the demotion and refused after it: ${codes}`)
  t.same(await mod.exchange(ban), failure('not_authorized'))
})

import { commands } from '../../src/requests/table.ts'
import type { Client } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'
import { createScene } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const rows = createRows(server.database)
const { arrange, log } = createScene(server)

const kinds = Object.values(commands).flatMap(({ fields, notices = {} }) => 'user_id' in fields ? Object.keys(notices) : [])

/** The types of all unread notices about moderation. */
async function notices (client: Client): Promise<string[]> {
  return (await client.settle()).map(({ type }) => type).filter(type => kinds.includes(type))
}

t.test('[P57] bans, mutes and kicks of a user who never joined take effect without notices', async t => {
  const { ben, name, command } = await arrange('private')
  const acts = ['ban_user', 'unban_user', 'mute_user', 'unmute_user', 'kick_user', 'ban_user', 'ban_user', 'mute_user', 'mute_user']
  for (let round = 0; round < 5; round++) for (const act of acts) t.match(await command(act), { type: 'success' }, act)
  t.same(await notices(ben), [])
  t.equal((await log(name)).length, 40, 'everything is logged except kicks, which have no effect')
  t.equal(await prisma.channelBan.count({ where: { channel: { name } } }), 1)
})

t.test('[P57] a banned member is told once of the ban and of its end; later bans and unbans send no notices', async t => {
  const { ben, tab, name, command } = await arrange()
  for (let round = 0; round < 20; round++) {
    await command('ban_user')
    await command('unban_user')
  }
  for (const client of [ben, tab]) t.same(await notices(client), ['banned_from_channel', 'unbanned_from_channel'])
  await ben.request({ type: 'join_channel', channel: name })
  await command('ban_user')
  t.same((await notices(ben)).slice(2), ['banned_from_channel'], 'a user who joined again is told again')
})

t.test('[P57] a user who was told of a ban is told of the next two that replace it, of no later ones, and of the end', async t => {
  const { ben, command } = await arrange()
  for (let duration = 100; duration < 120; duration++) await command('ban_user', { duration })
  await command('unban_user')
  t.same(await notices(ben), [...Array(3).fill('banned_from_channel'), 'unbanned_from_channel'])
})

t.test('[P57] an invited user is told of a mute, and of a kick or ban that ends the invitation', async t => {
  for (const [act, type] of [['kick_user', 'kicked_from_channel'], ['ban_user', 'banned_from_channel']] as const) {
    const { ben, command } = await arrange('private')
    await command('invite_user')
    await command('mute_user')
    await command(act)
    await command(act)
    await command('unmute_user')
    const again = act === 'ban_user' ? [type] : []
    t.same(await notices(ben), ['invited_to_channel', 'muted_in_channel', type, ...again, 'unmuted_in_channel'])
  }
})

t.test('[P57] a muted member is told of the end of the mute even after leaving; a mute after leaving sends no notice', async t => {
  const { ben, name, command } = await arrange()
  await command('mute_user')
  await ben.request({ type: 'leave_channel', channel: name })
  await command('mute_user')
  await command('unmute_user')
  await command('mute_user')
  await command('unmute_user')
  t.same(await notices(ben), ['muted_in_channel', 'unmuted_in_channel'])
})

t.test('[P20] [P57] who joins while they are muted is told so by the reply, and of the end by a notice', async t => {
  const { ben, name, command } = await arrange()
  await ben.request({ type: 'leave_channel', channel: name })
  await command('mute_user')
  t.type((await ben.request({ type: 'join_channel', channel: name })).data.me.muted_until, 'string')
  await command('unmute_user')
  t.same(await notices(ben), ['unmuted_in_channel'])
})

t.test('a kick or ban ends the place of a channel moderator, even after the moderator has left; leaving does not end it', async t => {
  for (const act of ['kick_user', 'ban_user']) {
    const { ben, name, id, command } = await arrange()
    const eve = await server.enter('eve', name)
    const muting = { command: 'mute_user', channel: name, user_id: eve.person.user.id }
    await command('add_moderator')
    await ben.request({ type: 'leave_channel', channel: name })
    t.match(await ben.exchange(muting), { action: 'user_muted' }, 'still a moderator after leaving')
    await ben.request({ type: 'join_channel', channel: name })
    await command(act)
    t.same(await ben.exchange(muting), failure('not_authorized'), act)
    t.equal(await prisma.channelModerator.count({ where: { userId: id } }), 0)

    await command('unban_user')
    await command('add_moderator')
    await command(act)
    t.same(await ben.exchange(muting), failure('not_authorized'), `${act} of a moderator who is no member`)
    t.same((await log(name)).map(({ action }) => action).slice(-2), ['add_moderator', act])
  }
})

t.test('[P57] a ban stored without a count of notices counts as told: its end sends a notice', async t => {
  const { ben, name, command } = await arrange('private')
  await rows.ban(await prisma.channel.findUniqueOrThrow({ where: { name } }), ben)
  await command('unban_user')
  t.same(await notices(ben), ['unbanned_from_channel'])
})

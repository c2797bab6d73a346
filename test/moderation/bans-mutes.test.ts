import { eventually } from '../eventually.ts'
import { banned, failure, startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createScene, notice } from './scene.ts'

const server = await startServer(t)
const { prisma } = server.database
const { arrange, log } = createScene(server)

t.test('[P22] ban_user ends a membership like a kick and prevents joins; a second ban replaces the first; unban_user ends it', async t => {
  const { ann, ben, tab, name, id, command } = await arrange()
  await command('add_moderator')
  const forGood = { channel: name, user_id: id, reason: null, expires_at: null }
  t.same(await command('ban_user'), { type: 'success', action: 'user_banned', data: forGood })
  t.same(await notice([ben, tab], 'banned_from_channel'), { type: 'banned_from_channel', channel: name, reason: null, expires_at: null })
  t.same(await ben.exchange({ type: 'send_message', channel: name, message: 'x' }), failure('not_in_channel'))
  t.same(await ben.exchange({ type: 'join_channel', channel: name }), banned())
  t.same(await command('invite_user'), failure('banned'))
  t.equal(await prisma.channelModerator.count({ where: { userId: id } }), 0)

  const before = Date.now()
  const { data: { expires_at: expiresAt, ...data } } = await command('ban_user', { reason: 'spam, again', duration: 600 })
  t.same(data, { channel: name, user_id: id, reason: 'spam, again' })
  t.ok(Math.abs(Date.parse(expiresAt) - before - 600_000) < 5000, expiresAt)
  t.same(await notice([ben, tab], 'banned_from_channel'),
    { type: 'banned_from_channel', channel: name, reason: 'spam, again', expires_at: expiresAt })
  t.same(await ben.exchange({ type: 'join_channel', channel: name }), banned({ reason: 'spam, again', expires_at: expiresAt }))
  t.match(await prisma.channelBan.findMany({ where: { userId: id } }), [{ reason: 'spam, again', bannedBy: ann.person.user.id }])

  t.same(await command('unban_user'), { type: 'success', action: 'user_unbanned', data: { channel: name, user_id: id } })
  t.same(await notice([ben, tab], 'unbanned_from_channel'), { type: 'unbanned_from_channel', channel: name })
  await ben.request({ type: 'join_channel', channel: name })
  t.match(await command('unban_user'), { action: 'user_unbanned' })
  for (const client of [ben, tab]) t.notOk((await client.settle()).some(({ type }) => type === 'unbanned_from_channel'), 'no second notice')
  t.same(await log(name), [
    ['add_moderator', null], ['ban_user', null], ['ban_user', 'spam, again'], ['unban_user', null]
  ].map(([action, reason]) => ({ actorId: ann.person.user.id, action, targetId: id, reason })))
})

t.test('[P22] [P57] a join does not tell the reason of a ban of which the user was not told, but when it ends', async t => {
  const { ben, name, command } = await arrange()
  await ben.request({ type: 'leave_channel', channel: name })
  const { data: { expires_at: expiresAt } } = await command('ban_user', { reason: 'spam', duration: 600 })
  t.same(await ben.exchange({ type: 'join_channel', channel: name }), banned({ expires_at: expiresAt }))
})

t.test('[P22] after a ban has expired the user may join and be invited, and unbanning has no effect', async t => {
  const { ben, name, id, command } = await arrange()
  await command('ban_user', { duration: 1 })
  await prisma.$executeRaw`UPDATE "ChannelBan" SET "expiresAt" = clock_timestamp() WHERE "userId" = ${id}::uuid`
  t.match(await command('invite_user'), { action: 'user_invited' })
  t.match(await command('unban_user'), { action: 'user_unbanned' })
  t.match(await ben.exchange({ type: 'join_channel', channel: name }), { action: 'channel_joined' })
  t.notOk((await ben.settle()).some(({ type }) => type === 'unbanned_from_channel'))
})

t.test('[P22] mute_user mutes for an hour by default; a second mute replaces the first; unmute_user ends it', async t => {
  const { ann, ben, tab, name, id, command } = await arrange()
  const before = Date.now()
  const { data: { expires_at: expiresAt, ...data }, ...reply } = await command('mute_user')
  t.same({ ...reply, data }, { type: 'success', action: 'user_muted', data: { channel: name, user_id: id, duration: 3600 } })
  t.ok(Math.abs(Date.parse(expiresAt) - before - 3_600_000) < 5000, expiresAt)
  t.same(await notice([ben, tab], 'muted_in_channel'), { type: 'muted_in_channel', channel: name, duration: 3600, expires_at: expiresAt })
  const { retry_after_ms: wait, ...muted } = await ben.exchange({ type: 'send_message', channel: name, message: 'x' })
  t.same(muted, failure('muted'))
  t.ok(wait > 3_500_000 && wait <= 3_600_000, `${wait}`)

  t.match(await command('mute_user', { duration: 5 }), { data: { duration: 5 } })
  t.ok((await ben.exchange({ type: 'send_message', channel: name, message: 'x' })).retry_after_ms <= 5000, 'the second mute is shorter')
  await notice([ben, tab], 'muted_in_channel')
  t.same(await command('unmute_user'), { type: 'success', action: 'user_unmuted', data: { channel: name, user_id: id } })
  t.same(await notice([ben, tab], 'unmuted_in_channel'), { type: 'unmuted_in_channel', channel: name })
  await ben.request({ type: 'send_message', channel: name, message: 'free' })
  t.match(await command('unmute_user'), { action: 'user_unmuted' })
  for (const client of [ben, tab]) t.notOk((await client.settle()).some(({ type }) => type === 'unmuted_in_channel'), 'no second notice')
  t.same((await log(name)).map(entry => entry.action), ['mute_user', 'mute_user', 'unmute_user'])
  t.ok(ann.inbox.every(({ type }) => !type.includes('mute')), 'nobody else is told')
})

t.test('[P22] a mute expires while the muted user is connected, by the database\'s clock', async t => {
  const { ben, name, command } = await arrange()
  await command('mute_user', { duration: 1 })
  const seq = await eventually<number>(async () => {
    const reply = await ben.exchange({ type: 'send_message', channel: name, message: 'x' })
    if (reply.type !== 'error') return reply.data.seq
    t.match(reply, { code: 'muted', retry_after_ms: Number })
    t.ok(reply.retry_after_ms <= 1000, 'not longer than the mute')
  })
  t.equal(seq, 1)
  const [row] = await prisma.$queryRaw<[{ over: boolean }]>`SELECT bool_and("expiresAt" <= clock_timestamp()) AS over FROM "ChannelMute"
    WHERE "channelId" = (SELECT id FROM "Channel" WHERE name = ${name})`
  t.ok(row.over, 'the message was not stored before the mute expired')
})

t.test('[P9] durations are whole seconds, at least one, and for mutes at most a year', async t => {
  const { ann, name, id } = await arrange()
  /** Uses a new connection each time, because ten such replies close a connection with 4501. */
  async function isRefused (command: string, field: string, value: unknown): Promise<void> {
    const client = await server.login(ann.person)
    const { code } = await client.exchange({ type: 'command', command, channel: name, user_id: id, [field]: value })
    t.equal(code, 'invalid_frame', `${command} ${field} ${JSON.stringify(value)}`)
    await client.close()
  }
  for (const duration of [0, -1, 1.5, 1e12, 'x', '60', null, true, [60]]) {
    await isRefused('mute_user', 'duration', duration)
    await isRefused('ban_user', 'duration', duration)
  }
  await isRefused('mute_user', 'duration', 31_536_001)
  for (const reason of [7, null, 'a\0b', 'x'.repeat(501)]) await isRefused('ban_user', 'reason', reason)
  const where = { userId: id }
  t.same([await prisma.channelBan.count({ where }), await prisma.channelMute.count({ where })], [0, 0])
  for (const duration of [1, 31_536_000, 1e3]) {
    t.match(await ann.exchange({ command: 'mute_user', channel: name, user_id: id, duration }), { data: { duration } })
  }
})

import { eventually } from '../eventually.ts'
import { banned, failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

/** Milliseconds until a ban or mute ends: enough for the requests before that, and short enough for a test to wait. */
const SOON_MS = 3000

t.test('[P22] a banned user cannot join, whether the ban has an end or not', async t => {
  for (const expires of [null, 60_000]) {
    const ann = await server.enter('ann')
    const channel = await rows.channel()
    await rows.ban(channel, ann, expires)
    const { expires_at: end, ...refused } = await ann.exchange({ type: 'join_channel', channel: channel.name })
    t.same(refused, { ...failure('banned'), reason: null })
    t.equal(typeof end, expires === null ? 'object' : 'string')
    t.equal(await server.database.prisma.channelUser.count({ where: { channelId: channel.id } }), 0)
  }
})

t.test('[P22] a banned user cannot join with an earlier invitation', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel('private')
  await rows.invitation(channel, ann)
  await rows.ban(channel, ann)
  t.same(await ann.exchange({ type: 'join_channel', channel: channel.name }), banned())
})

t.test('[P22] [P32] a ban refuses the next message and the next join of a member', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel()
  await ann.request({ type: 'join_channel', channel: channel.name })
  await rows.ban(channel, ann)
  t.same(await ann.exchange({ type: 'send_message', channel: channel.name, message: 'x' }), failure('banned'))
  t.same(await ann.exchange({ type: 'join_channel', channel: channel.name }), banned())
  const { status, body } = await server.call('POST', `/api/channels/${channel.name}/messages`, {
    token: ann.person.access_token, body: { message: 'x' }
  })
  t.match({ status, body }, { status: 403, body: { code: 'banned', message: 'Banned from channel' } })
  t.equal(await server.database.prisma.message.count({ where: { channelId: channel.id } }), 0)
})

t.test('[P22] a ban ends by the clock of the database', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel()
  await rows.ban(channel, ann, SOON_MS)
  t.equal((await ann.exchange({ type: 'join_channel', channel: channel.name })).code, 'banned')
  await eventually(async () => (await ann.exchange({ type: 'join_channel', channel: channel.name })).action === 'channel_joined')
  t.ok(await hasExpired('ChannelBan', channel.id), 'the ban did not end early')
})

t.test('[P22] a muted user gets retry_after_ms and still receives messages; the mute ends by the clock of the database', async t => {
  const ann = await server.enter('ann')
  const channel = await rows.channel()
  const ben = await server.enter('ben', channel.name)
  await ann.request({ type: 'join_channel', channel: channel.name })
  await rows.mute(channel, ann, SOON_MS)
  const { retry_after_ms: wait, ...muted } = await ann.exchange({ type: 'send_message', channel: channel.name, message: 'x' })
  t.same(muted, failure('muted'))
  t.ok(Number.isInteger(wait) && wait > 0 && wait <= SOON_MS, `retry_after_ms ${wait}`)
  const { status, headers, body } = await server.call('POST', `/api/channels/${channel.name}/messages`, {
    token: ann.person.access_token, body: { message: 'x' }
  })
  t.match({ status, body }, { status: 403, body: { code: 'muted', message: 'Muted in channel', retry_after_ms: Number } })
  t.match(headers.get('retry-after'), /^[1-9]\d*$/)

  await ben.request({ type: 'send_message', channel: channel.name, message: 'for ann' })
  t.equal((await ann.expect('message')).message, 'for ann')

  const again = await eventually(async () => {
    const reply = await ann.exchange({ type: 'send_message', channel: channel.name, message: 'free' })
    return reply.action === 'message_sent' && reply
  })
  t.ok(await hasExpired('ChannelMute', channel.id), 'the mute did not end early')
  t.equal(again.data.seq, 2, 'no message was stored during the mute')
})

t.test('[P22] a mute holds only in its channel; a muted member may leave and join again, and stays muted', async t => {
  const ann = await server.enter('ann', 'elsewhere')
  const channel = await rows.channel()
  await ann.request({ type: 'join_channel', channel: channel.name })
  await rows.mute(channel, ann, 60_000)
  await ann.request({ type: 'send_message', channel: 'elsewhere', message: 'x' })
  await ann.request({ type: 'leave_channel', channel: channel.name })
  await ann.request({ type: 'join_channel', channel: channel.name })
  t.equal((await ann.exchange({ type: 'send_message', channel: channel.name, message: 'x' })).code, 'muted')
})

async function hasExpired (table: 'ChannelBan' | 'ChannelMute', channelId: string): Promise<boolean> {
  const [row] = await server.database.prisma.$queryRawUnsafe<[{ expired: boolean }]>(
    `SELECT "expiresAt" <= clock_timestamp() AS expired FROM "${table}" WHERE "channelId" = $1::uuid`, channelId)
  return row.expired
}

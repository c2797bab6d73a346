import { randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

// This is the smallest `max_buffered` that may be configured. No frame may be larger than half of it.
const config = { limits: { enabled: false }, channels: { max_message_length: 40_000 }, performance: { max_buffered: 65_536 } }
const server = await startServer(t, { config })
const rows = createRows(server.database)

t.test('[P59] 880 people who join or leave at once cause no close of a client that reads', async t => {
  const ann = await server.enter('ann', 'lobby')
  const { id } = await server.database.prisma.channel.findUniqueOrThrow({ where: { name: 'lobby' } })
  const people = Array.from({ length: 880 }, (_, i) => ({ user_id: uuidv7(), username: `person ${i}` }))
  for (const type of ['enter', 'exit'] as const) {
    for (const person of people) server.presence[type]({ id, name: 'lobby' }, person)
    const event = type === 'enter' ? 'user_joined' : 'user_left'
    await eventually(() => ann.inbox.filter(frame => frame.type === event && frame.username.startsWith('person')).length === 880)
  }
  t.equal((await ann.request({ type: 'heartbeat' })).type, 'heartbeat_ack')
})

t.test('[P59] an announcement of more than half of max_buffered is refused, and a shorter one arrives', async t => {
  const admin = await server.register('admin')
  await rows.role(admin, 'admin')
  const ben = await server.enter('ben')
  const announce = (message: string) =>
    server.call('POST', '/api/admin/announcements', { body: { message }, token: admin.access_token })
  for (const message of ['x'.repeat(40_000), '漢'.repeat(11_000), '"'.repeat(16_000), '\u0001'.repeat(6000)]) {
    t.match(await announce(message), { status: 400, body: { code: 'message_too_long', message: 'Message too long' } })
  }
  const longest = 'x'.repeat(30_000)
  t.equal((await announce(longest)).status, 204)
  t.equal((await ben.expect('announcement')).message, longest)
  t.same(ben.inbox, [])
})

t.test('[P59] a message stored under larger limits closes no client that joins, resumes or asks for history', async t => {
  const name = `big-${randomUUID().slice(0, 8)}`
  const ann = await server.enter('ann', name)
  await ann.request({ type: 'send_message', channel: name, message: 'small' })
  const { channel_id: id } = (await ann.request({ type: 'join_channel', channel: name })).data
  await server.database.prisma.message.create({
    data: { id: uuidv7(), channelId: id, seq: 2, userId: ann.person.user.id, content: 'x'.repeat(200_000), createdAt: new Date() }
  })
  await server.database.prisma.channel.update({ where: { id }, data: { lastSeq: 2 } })
  await ann.close()
  for (const fields of [{}, { history: 1 }, { history: 10 }, { since: 0, channel_id: id }, { since: 1, channel_id: id }]) {
    const ben = await server.enter('ben')
    const { data } = await ben.request({ type: 'join_channel', channel: name, ...fields })
    t.match(data, { seq: 2, recovered: false, messages: [] }, JSON.stringify(fields))
    const { data: sent } = await ben.request({ type: 'send_message', channel: name, message: 'after' })
    await ben.expect(frame => frame.type === 'message' && frame.seq === sent.seq)
    await server.database.prisma.message.delete({ where: { channelId_seq: { channelId: id, seq: sent.seq } } })
    await server.database.prisma.channel.update({ where: { id }, data: { lastSeq: 2 } })
    await ben.close()
  }
})

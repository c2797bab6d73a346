import { randomUUID } from 'node:crypto'
import type { Client, Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t)
const rows = createRows(server.database)

t.test('[P20] [P26] [P29] a message is stored, acked and delivered to all subscribers, including the sender', async t => {
  const ann = await server.enter('ann', 'general')
  const ben = await server.enter('ben', 'general')
  const reply = await ann.request({ type: 'send_message', channel: 'general', message: 'hello', client_id: 'a1' })
  t.match(reply, { type: 'success', action: 'message_sent', data: { channel: 'general', seq: 1, client_id: 'a1' } })
  for (const client of [ann, ben]) {
    const { id } = reply.data
    t.match(await client.expect('message'), { id, seq: 1, channel: 'general', username: 'ann', message: 'hello', client_id: 'a1' })
  }
})

t.test('[P19] [P20] joining an unknown name creates a public channel, and the user becomes its creator and a member', async t => {
  const ann = await server.enter('ann')
  const reply = await ann.request({ type: 'join_channel', channel: 'brand-new' })
  const { id } = await server.database.prisma.channel.findUniqueOrThrow({ where: { name: 'brand-new' } })
  const { me: { is_member_since: since, ...me }, ...data } = reply.data
  t.same({ ...reply, data }, {
    type: 'success',
    action: 'channel_joined',
    data: {
      channel: 'brand-new',
      channel_id: id,
      channel_type: 'public',
      seq: 0,
      last_id: null,
      recovered: false,
      messages: [],
      topic: '',
      slow_mode: 0,
      retention: null,
      user_count: 1
    }
  })
  t.same(me, { role: 'user', is_moderator: true, muted_until: null, read_seq: 0 })
  const { body: { members } } = await server.call('GET', '/api/channels/brand-new/members', { token: ann.person.access_token })
  t.equal(since, members[0].joined_at)
  const { body } = await server.call('GET', '/api/channels/brand-new', { token: ann.person.access_token })
  t.match(body, { id, channel_type: 'public', created_by: ann.person.user.id, user_count: 1, last_seq: 0 })
})

t.test('[P20] every reply to a join says what the channel and the user\'s place in it are now, also when members come back', async t => {
  const ann = await server.enter('ann')
  const name = 'places'
  const set = { topic: 'tea', slow_mode: 5, retention: 30 }
  await ann.request({ command: 'create_channel', name, ...set })
  const join = async (client: Client): Promise<Frame> => (await client.request({ type: 'join_channel', channel: name })).data as Frame
  t.match(await join(ann), { ...set, user_count: 1, me: { role: 'user', is_moderator: true, muted_until: null } })
  const ben = await server.enter('ben')
  const first = await join(ben)
  t.match(first, { ...set, user_count: 2, me: { role: 'user', is_moderator: false, muted_until: null } })
  t.match(await join(ben), { user_count: 2, me: first.me }, 'joined again')

  const about = { channel: name, user_id: ben.person.user.id }
  const { data: { expires_at: until } } = await ann.request({ command: 'mute_user', ...about, duration: 60 })
  await ann.request({ command: 'add_moderator', ...about })
  await ann.request({ command: 'update_channel', channel: name, topic: 'cake', slow_mode: 0, retention: null })
  const after = { topic: 'cake', slow_mode: 0, retention: null, user_count: 2, me: { ...first.me, is_moderator: true, muted_until: until } }
  t.match(await join(await server.login(ben.person)), after)
  await ben.request({ type: 'leave_channel', channel: name })
  t.match(await join(ben), { user_count: 2, me: { is_moderator: true, muted_until: until } }, 'a new membership')

  const boss = await server.enter('boss')
  await server.database.prisma.user.update({ where: { id: boss.person.user.id }, data: { role: 'admin' } })
  for (const time of ['first', 'second']) t.match(await join(boss), { user_count: 3, me: { role: 'admin', is_moderator: true } }, time)
})

t.test('[P19] with create_on_join off, joining an unknown name answers channel_not_found and creates nothing', async t => {
  const server = await startServer(t, { config: { channels: { create_on_join: false } } })
  const ann = await server.enter('ann', 'general')
  t.same(await ann.exchange({ type: 'join_channel', channel: 'nowhere' }), failure('channel_not_found'))
  t.equal(await server.database.prisma.channel.count(), 1)
})

t.test('[P17] channel names that match the pattern are accepted, and all other names are refused', async t => {
  const ann = await server.enter('ann')
  for (const channel of ['a', '0', 'a_b-c', 'a'.repeat(64), '9-']) {
    t.equal((await ann.exchange({ type: 'join_channel', channel })).action, 'channel_joined', channel)
  }
  const bad = [
    'A', 'General', '-a', '_a', 'a b', ' a', 'a ', 'a\n', 'ä', 'a.b', 'a/b', '../etc', 'a%2fb', '#a', 'a\0', 'a\u200b', '\u202ea',
    'g\u0435neral', 'a\u{1F600}', '\ud800', 'a'.repeat(65), 'a'.repeat(60_000), "a'; DROP TABLE \"User\"; --"
  ]
  for (const channel of bad) {
    for (const type of ['join_channel', 'leave_channel', 'user_list', 'send_message']) {
      const reply = await ann.exchange({ type, channel, message: 'x' })
      t.same(reply, failure('invalid_channel_name'), `${type} ${JSON.stringify(channel.slice(0, 70))}`)
    }
  }
  for (const channel of [undefined, null, '', ' ', '\t\n', '\u00a0']) {
    for (const type of ['join_channel', 'leave_channel', 'user_list', 'send_message']) {
      const reply = await ann.exchange({ type, channel, message: 'x' })
      t.same(reply, failure('channel_required'), `${type} ${JSON.stringify(channel)}`)
    }
  }
})

t.test('[P9] a channel name of another JSON type answers invalid_frame', async t => {
  for (const channel of [1, true, ['general'], { name: 'general' }]) {
    // Each value has a new connection, because ten invalid frames close one with 4501.
    const ann = await server.enter('ann')
    for (const type of ['join_channel', 'leave_channel', 'user_list', 'send_message']) {
      const reply = await ann.exchange({ type, channel, message: 'x' })
      t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: channel: / }, `${type} ${JSON.stringify(channel)}`)
    }
  }
})

t.test('[P18] names that begin with admin- or moderator- require the role, whether or not the channel exists', async t => {
  const [user, moderator, admin] = [await server.enter('user'), await server.enter('moderator'), await server.enter('admin')]
  await rows.role(moderator, 'moderator')
  await rows.role(admin, 'admin')
  for (const [kind, fits] of [['admin', [admin]], ['moderator', [moderator, admin]]] as const) {
    const made = await rows.channel(kind, { name: `${kind}-${randomUUID()}` })
    for (const client of [user, moderator, admin]) {
      const { name } = client.person.user
      const isFit = (fits as readonly unknown[]).includes(client)
      const there = await client.exchange({ type: 'join_channel', channel: made.name })
      const fresh = await client.exchange({ type: 'join_channel', channel: `${kind}-${name}-${randomUUID()}`.slice(0, 64) })
      for (const reply of [there, fresh]) {
        if (isFit) t.match(reply, { action: 'channel_joined', data: { channel_type: kind } }, `${name} joins ${kind}`)
        else t.same(reply, failure('not_authorized'), `${name} does not join ${kind}`)
      }
    }
  }
})

t.test('[P18] a channel of type admin or moderator requires the role, whatever its name is', async t => {
  const user = await server.enter('user')
  for (const type of ['admin', 'moderator'] as const) {
    const { name } = await rows.channel(type)
    t.equal((await user.exchange({ type: 'join_channel', channel: name })).code, 'not_authorized')
  }
})

t.test('[P18] [P15] a member who has lost the role can neither join again nor send', async t => {
  const admin = await server.enter('admin')
  await rows.role(admin, 'admin')
  const channel = await rows.channel('admin')
  await admin.request({ type: 'join_channel', channel: channel.name })
  await rows.role(admin, 'user')
  t.equal((await admin.exchange({ type: 'join_channel', channel: channel.name })).code, 'not_authorized')
  t.equal((await admin.exchange({ type: 'send_message', channel: channel.name, message: 'x' })).code, 'not_authorized')
})

t.test('[P20] joining twice gives one membership and one copy of each message', async t => {
  const ann = await server.enter('ann', 'twice', 'twice')
  const again = await ann.request({ type: 'join_channel', channel: 'twice' })
  t.equal(again.data.channel, 'twice')
  await ann.request({ type: 'send_message', channel: 'twice', message: 'once' })
  await ann.settle()
  t.equal(ann.inbox.filter(frame => frame.type === 'message').length, 1)
  const { body } = await server.call('GET', '/api/channels/twice', { token: ann.person.access_token })
  t.equal(body.user_count, 1)
})

t.test('[P20] [P26] a membership outlives the connection, and a subscription does not', async t => {
  const ann = await server.enter('ann', 'lasting')
  await ann.close()
  const again = await server.login(ann.person)
  t.equal((await again.exchange({ type: 'send_message', channel: 'lasting', message: 'x' })).code, 'not_in_channel')
  const list = await again.request({ type: 'channel_list', limit: 100 })
  t.match(list.channels.find(({ name }: { name: string }) => name === 'lasting'), { joined: true, user_count: 1, online_count: 0 })
  await again.request({ type: 'join_channel', channel: 'lasting' })
  t.equal((await again.request({ type: 'send_message', channel: 'lasting', message: 'x' })).data.seq, 1)
})

t.test('[P30] [P31] invalid fields of a join are refused: since without channel_id, numbers out of bounds and wrong types', async t => {
  const wrong = [
    { since: 0 }, { since: 1, channel_id: 'x' }, { since: 1, channel_id: 1 },
    ...[-1, 1.5, '1', 1e300].map(since => ({ since, channel_id: randomUUID() })),
    { history: 0 }, { history: 101 }, { history: -1 }, { history: 1.5 }, { history: '5' }, { history: null }, { history: true }
  ]
  for (const [i, fields] of wrong.entries()) {
    const ann = await server.enter('ann')
    const reply = await ann.exchange({ type: 'join_channel', channel: `fields-${i}`, ...fields })
    t.match(reply, { type: 'error', code: 'invalid_frame', message: /^Invalid message: ./ }, JSON.stringify(fields))
  }
  const { prisma } = server.database
  t.equal(await prisma.channel.count({ where: { name: { startsWith: 'fields-' } } }), 0, 'no channel was created')
})

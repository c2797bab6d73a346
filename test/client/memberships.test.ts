import { t } from '../tap.ts'
import { withInbox } from './lists.ts'

const nothing = (): void => {}

t.test('memberships and invitations that begin and end show, whoever has ended them', async t => {
  const { parley, connect, clock, scene, has, unread, table, invitations, answers, reads } = withInbox(t)
  const says = (type: string, channel: unknown) => scene.socket.say({ type, channel, timestamp: '' })
  for (const name of ['kicked', 'banned', 'left', 'deleted', 'own', 'stays']) has(name)
  parley.inbox.subscribe(nothing)
  await connect()
  for (const [type, channel] of [
    ['kicked_from_channel', 'kicked'], ['banned_from_channel', 'banned'], ['channel_left', 'left'], ['channel_deleted', 'deleted']
  ] as const) says(type, channel)
  t.same(Object.keys(unread()), ['own', 'stays'])
  for (const name of ['kicked', 'banned', 'left', 'deleted', 'own']) table.delete(name)
  await clock.advance(5000)
  answers.leave_channel = (frame, socket) => socket.reply(frame, 'channel_left', { channel: 'own' })
  await parley.channel('own').leave()
  await clock.advance(0)
  t.same(Object.keys(unread()), ['stays'])

  invitations.push({ channel: 'secret' })
  says('invited_to_channel', 'secret')
  await clock.advance(0)
  t.match(parley.inbox.getSnapshot().invitations, [{ channel: 'secret' }])
  says('kicked_from_channel', 'secret')
  t.same(parley.inbox.getSnapshot().invitations, [])
  t.equal(reads.length, 3)

  const peer = { user_id: 'bob', username: 'Bob', handle: 'bob' }
  await clock.advance(5000)
  has('direct-1', { channel_type: 'direct', peer })
  says('direct_opened', { id: '1', name: 'direct-1' })
  await clock.advance(0)
  t.match(parley.inbox.getSnapshot().directs, [{ name: 'direct-1', peer }])
  scene.socket.say({ type: 'channel_updated', channel: 'stays', channel_type: 'private', topic: 'new', slow_mode: 0, retention: null })
  t.match(parley.inbox.getSnapshot().channels, [{ name: 'stays', topic: 'new', channel_type: 'private' }])
  has('room', { id: 'room-1' })
  parley.channel('room').open()
  await clock.advance(6000)
  t.same(Object.keys(unread()), ['room', 'stays'], 'a channel that was joined here is new to the list')
})

t.test('a channel that this user joins is in the list at once', async t => {
  const { parley, connect, clock, has, asked } = withInbox(t)
  has('old')
  parley.inbox.subscribe(() => {})
  await connect()
  await clock.advance(5000)
  has('room')
  parley.channel('room').open()
  await clock.advance(0)
  t.equal(asked().length, 2)
  t.same(parley.inbox.getSnapshot().channels.map(({ name }) => name), ['old', 'room'])
})

t.test('a membership that ends while the list is read does not stay', async t => {
  const { parley, connect, clock, has, answers, page, table, unread } = withInbox(t)
  for (const name of ['ended', 'stays']) has(name)
  parley.inbox.subscribe(nothing)
  await connect()
  await clock.advance(5000)
  const { channel_list: list } = answers
  answers.channel_list = ({ limit, cursor, ref }, socket) => {
    const late = page(limit, cursor)
    table.delete('ended')
    socket.say({ type: 'kicked_from_channel', channel: 'ended', timestamp: '' })
    socket.say({ ...late, ref })
    answers.channel_list = list!
  }
  parley.inbox.refresh()
  await clock.advance(2000)
  t.same(unread(), { stays: 0 })
})

t.test('[P47] direct() opens the direct channel with somebody, which the inbox shows', async t => {
  const { parley, connect, clock, has, answers } = withInbox(t)
  answers.open_direct = (frame, socket) => {
    if (frame.user_id === 'cid') return socket.refuse(frame, 'blocked')
    has('direct-1', { channel_type: 'direct' })
    socket.reply(frame, 'direct_opened', { channel: { id: '1', name: 'direct-1' } })
  }
  parley.inbox.subscribe(nothing)
  await connect()
  await clock.advance(5000)
  const channel = await parley.direct('bob')
  t.equal(channel, parley.channel('direct-1'))
  t.equal(channel.getSnapshot().state, 'idle')
  await clock.advance(0)
  t.match(parley.inbox.getSnapshot().directs, [{ name: 'direct-1' }])
  await t.rejects(parley.direct('cid'), { code: 'blocked' })
})

t.test('[C7] another user sees nothing of the one before, not even what was asked for them', async t => {
  const { parley, connect, clock, scene, has, table, answers, invitations, page } = withInbox(t)
  has('of ann', { at: 1 })
  invitations.push({ channel: 'secret of ann' })
  parley.inbox.subscribe(nothing)
  await connect()
  t.match(parley.inbox.getSnapshot(), { channels: [{ name: 'of ann' }], invitations: [{ channel: 'secret of ann' }] })
  const { channel_list: list } = answers
  answers.channel_list = () => {}
  await clock.advance(5000)
  parley.inbox.refresh()
  await clock.advance(0)
  const [old, late] = [scene.socket, { ...page(100, undefined), ref: scene.socket.asked('channel_list').at(-1)!.ref }]
  scene.server.user = { ...scene.server.user, user_id: 'bob' }
  table.clear()
  invitations.length = 0
  const shown: string[] = []
  parley.inbox.subscribe(() => {
    const state = parley.getSnapshot()
    const { channels, invitations: shownInvitations } = parley.inbox.getSnapshot()
    if (state.state !== 'online' || state.user.user_id !== 'bob') return
    shown.push(...channels.map(({ name }) => name), ...shownInvitations.map(({ channel }) => channel))
  })
  old.end()
  answers.channel_list = list!
  await clock.advance(1000)
  old.say(late)
  t.match(parley.inbox.getSnapshot(), { state: 'live', channels: { length: 0 }, invitations: { length: 0 } })
  t.same(shown, [])
})

t.test('[C7] invitations that were asked for by the user before, and the channels of the guest before, are not shown', async t => {
  let answer = (_invitations: object[]): void => {}
  const { parley, connect, clock, scene, has } = withInbox(t, {
    token: () => null,
    fetch: () => new Promise(resolve => {
      answer = invitations => resolve(Response.json({ invitations, next_cursor: null }))
    })
  })
  has('of one guest')
  parley.inbox.subscribe(nothing)
  await connect()
  const late = answer
  const shown = () => parley.inbox.getSnapshot().channels.length
  t.equal(shown(), 1)
  const onlineWith: number[] = []
  parley.on('announcement', () => onlineWith.push(shown()))
  const { authenticate, channel_list: list } = scene.answers
  delete scene.answers.channel_list
  scene.answers.authenticate = (frame, socket) => {
    authenticate!(frame, socket)
    socket.say({ type: 'announcement', message: '', timestamp: '' })
  }
  scene.server.user = { ...scene.server.user, user_id: 'another guest' }
  scene.socket.end()
  await clock.advance(1000)
  t.same(onlineWith, [0])
  late([{ channel: 'secret' }])
  await clock.advance(0)
  t.same(parley.inbox.getSnapshot().invitations, [])
  scene.answers.channel_list = list!
})

t.test('[P16] guests, who cannot be invited, are not asked for invitations', async t => {
  const { parley, connect, scene, has, reads, unread } = withInbox(t, { token: () => null })
  Object.assign(scene.server.user, { handle: null })
  has('room')
  parley.inbox.subscribe(nothing)
  await connect()
  t.same(unread(), { room: 0 })
  t.same(reads, [])
})

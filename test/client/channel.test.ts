import { t } from '../tap.ts'
import { isTrue, opened } from './room.ts'
import { createScene, me } from './scripted.ts'

t.test('[C10] open() is counted, and whoever closes and opens in one turn, as React\'s StrictMode does, joins once', async t => {
  const { scene, channel, close } = await opened(t, 5)
  const closeSecond = channel.open()
  close()
  close()
  channel.open()()
  closeSecond()
  const closeLast = channel.open()
  await scene.clock.advance(0)
  t.equal(scene.socket.asked('join_channel').length, 1)
  t.equal(scene.socket.asked('unsubscribe_channel').length, 0)
  closeLast()
  await scene.clock.advance(0)
  t.equal(scene.socket.asked('unsubscribe_channel').length, 1)
  t.match(channel.getSnapshot(), { state: 'idle', messages: { length: 0 } })
  scene.text('to nobody')
  t.same(channel.getSnapshot().messages, [])
  channel.open()
  await scene.clock.advance(0)
  t.match(scene.socket.asked('join_channel').at(-1), { history: 50, since: undefined })
  isTrue(t, channel, scene)
})

t.test('a join that the server cannot take is tried again; one that is refused closes the channel, and open() tries anew', async t => {
  const scene = createScene(t)
  const { join_channel: join } = scene.answers
  const refusals = [{ code: 'rate_limited', retry_after_ms: 300 }, { code: 'unavailable' }, { code: 'banned' }]
  scene.answers.join_channel = (frame, socket) => {
    const next = refusals.shift()
    if (next) socket.refuse(frame, next.code, next)
    else join!(frame, socket)
  }
  const channel = scene.parley.channel('room')
  const close = channel.open()
  await scene.connect()
  t.equal(scene.socket.asked('join_channel').length, 1)
  await scene.clock.advance(299)
  t.equal(scene.socket.asked('join_channel').length, 1)
  await scene.clock.advance(1)
  t.equal(scene.socket.asked('join_channel').length, 2)
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { state: 'closed', error: { code: 'banned' } })
  await scene.clock.advance(100_000)
  t.equal(scene.socket.asked('join_channel').length, 3)
  channel.open()
  await scene.clock.advance(0)
  t.equal(channel.getSnapshot().state, 'live')
  t.notOk(channel.getSnapshot().error)
  close()
})

t.test('a kick, a ban, a deletion and leaving in another tab close the channel, also for the next connection', async t => {
  for (const [type, code] of [
    ['kicked_from_channel', 'not_in_channel'], ['banned_from_channel', 'banned'], ['channel_deleted', 'channel_not_found'],
    ['channel_left', 'not_in_channel']
  ]) {
    const { scene, channel } = await opened(t, 5)
    scene.socket.say({ type, channel: 'room', timestamp: '' })
    t.match(channel.getSnapshot(), { state: 'closed', error: { code } }, `${type}`)
    scene.socket.end()
    await scene.clock.advance(1000)
    t.equal(scene.socket.asked('join_channel').length, 0)
    await t.rejects(channel.send('too late'), { code })
  }
})

t.test('the error of a closed channel says who ended it, why and until when, and that a ban is over', async t => {
  const { scene, channel } = await opened(t)
  const error = () => channel.getSnapshot().error
  scene.socket.say({ type: 'unbanned_from_channel', channel: 'room', timestamp: '' })
  t.match(channel.getSnapshot(), { state: 'live', error: undefined })
  scene.socket.say({ type: 'kicked_from_channel', channel: 'room', timestamp: '' })
  t.match(error(), { code: 'not_in_channel', details: { isKicked: true } })
  scene.socket.say({ type: 'banned_from_channel', channel: 'room', reason: 'spam', expires_at: 'then', timestamp: '' })
  t.match(error(), { code: 'banned', details: { reason: 'spam', expiresAt: 'then' } })
  scene.socket.say({ type: 'unbanned_from_channel', channel: 'room', timestamp: '' })
  t.match(channel.getSnapshot(), { state: 'closed', error: { code: 'not_in_channel' } })
  t.strictSame(error()!.details, {})
})

t.test('the reply to a join that is no longer wanted has no effect', async t => {
  const scene = createScene(t)
  const { join_channel: join } = scene.answers
  delete scene.answers.join_channel
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  const [frame] = scene.socket.asked('join_channel')
  scene.socket.say({ type: 'banned_from_channel', channel: 'room', timestamp: '' })
  join!(frame!, scene.socket)
  t.match(channel.getSnapshot(), { state: 'closed', error: { code: 'banned' } })
})

t.test('the settings of the channel and the place of the user in it follow the notices', async t => {
  const { scene, channel } = await opened(t)
  t.match(channel.getSnapshot().details, { topic: '', me: { role: 'user', muted_until: null } })
  const settings = { channel_type: 'private', topic: 'new', slow_mode: 5, retention: 7 }
  scene.socket.say({ type: 'constructor', channel: 'room' })
  t.ok(scene.log.some(({ type, frame }) => type === 'ignored' && frame === 'constructor'), 'a type is looked up among those that it knows')
  scene.socket.say({ type: 'channel_updated', channel: 'room', ...settings, timestamp: '' })
  scene.socket.say({ type: 'muted_in_channel', channel: 'room', duration: 60, expires_at: 'then', timestamp: '' })
  t.match(channel.getSnapshot().details, { ...settings, me: { role: 'user', muted_until: 'then' } })
  scene.socket.say({ type: 'unmuted_in_channel', channel: 'room', timestamp: '' })
  t.match(channel.getSnapshot().details, { me: { muted_until: null } })
})

t.test('who is online is listed, and notices that come while the list is read count once', async t => {
  const scene = createScene(t)
  const bob = { user_id: 'bob', username: 'Bob' }
  const cid = { user_id: 'cid', username: 'Cid' }
  const dan = { user_id: 'dan', username: 'Dan' }
  const eve = { user_id: 'eve', username: 'Eve' }
  scene.answers.user_list = (frame, socket) => {
    for (const person of [bob, me, dan]) socket.say({ type: 'user_joined', channel: 'room', ...person, timestamp: '' })
    socket.say({ type: 'user_left', channel: 'room', ...eve, timestamp: '' })
    socket.say({ type: 'user_list', channel: 'room', users: [me, bob, eve], count: 3, next_cursor: null, ref: frame.ref })
  }
  const { presence, open } = scene.parley.channel('room')
  open()
  await scene.connect()
  t.same(presence.getSnapshot(), { online: [me, bob, dan], count: 3 })
  scene.socket.say({ type: 'user_left', channel: 'room', ...dan, timestamp: '' })
  scene.socket.say({ type: 'user_joined', channel: 'room', ...cid, timestamp: '' })
  scene.socket.say({ type: 'user_joined', channel: 'room', ...cid, timestamp: '' })
  t.same(presence.getSnapshot(), { online: [me, bob, cid], count: 3 })
  scene.socket.say({ type: 'user_left', channel: 'room', ...bob, timestamp: '' })
  t.same(presence.getSnapshot(), { online: [me, cid], count: 2 })
  scene.socket.end()
  t.same(presence.getSnapshot(), { online: [], count: 0 })
})

t.test('where people are only counted, the number follows notices and is read anew from time to time', async t => {
  const scene = createScene(t)
  let count = 500
  scene.answers.user_list = (frame, socket) => {
    t.equal(frame.limit, 1)
    const users = [{ user_id: 'abe', username: 'Abe' }]
    socket.say({ type: 'user_list', channel: 'room', users, count, next_cursor: 'x', ref: frame.ref })
  }
  const { presence, open } = scene.parley.channel('room', { presence: 'count' })
  open()
  await scene.connect()
  scene.socket.say({ type: 'user_joined', channel: 'room', ...me, timestamp: '' })
  t.same(presence.getSnapshot(), { online: [], count: 500 })
  scene.socket.say({ type: 'user_joined', channel: 'room', user_id: 'cid', username: 'Cid', timestamp: '' })
  scene.socket.say({ type: 'user_left', channel: 'room', user_id: 'dan', username: 'Dan', timestamp: '' })
  scene.socket.say({ type: 'user_left', channel: 'room', user_id: 'eve', username: 'Eve', timestamp: '' })
  t.same(presence.getSnapshot(), { online: [], count: 499 })
  count = 497
  await scene.clock.advance(30_000)
  t.same(presence.getSnapshot(), { online: [], count: 497 })
})

t.test('typing is shown for 6 s, or until that user\'s next message', async t => {
  const { scene, channel } = await opened(t)
  const signal = (typing: unknown, user = 'bob') =>
    scene.socket.say({ type: 'signal', channel: 'room', event: 'typing', user_id: user, username: user, data: { typing }, timestamp: '' })
  const typing = () => channel.getSnapshot().typing.map(({ user_id: id }) => id)
  signal(true)
  signal(true, 'cid')
  t.same(typing(), ['bob', 'cid'])
  await scene.clock.advance(3000)
  signal(true, 'cid')
  await scene.clock.advance(3000)
  t.same(typing(), ['cid'])
  await scene.clock.advance(3000)
  t.same(typing(), [])
  signal(true)
  signal('true', 'cid')
  t.same(typing(), ['bob'])
  scene.text('said')
  t.same(typing(), [])
  signal(true)
  signal(false)
  t.same(typing(), [])
})

t.test('typing is said once in 3 s, an end of it once, and no more than 8 signals a second; none is queued', async t => {
  const { scene, channel } = await opened(t)
  for (let i = 0; i < 50; i++) {
    channel.typing()
    await scene.clock.advance(100)
  }
  channel.typing(false)
  channel.typing(false)
  t.same(scene.socket.asked('signal').map(({ event, data }) => `${event} ${data.typing}`), ['typing true', 'typing true', 'typing false'])
  await scene.clock.advance(1000)
  for (let i = 0; i < 50; i++) channel.signal('wave', { i })
  t.equal(scene.socket.asked('signal').length, 3 + 8)
  scene.socket.end()
  channel.signal('wave')
  await scene.clock.advance(1000)
  t.equal(scene.socket.asked('signal').length, 0)
})

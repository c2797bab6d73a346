import type { Frame } from '../client.ts'
import { t, type Test } from '../tap.ts'
import { withInbox } from './lists.ts'
import { createScene, iso, me, type Scene } from './scripted.ts'

const nothing = (): void => {}

t.test('[C1] an open channel counts for itself: messages, own ones, deletions and marks show at once, without a request', async t => {
  const { parley, connect, clock, scene, has, asked, answers } = withInbox(t)
  has('room', { id: 'room-1', at: 1 })
  answers.mark_read = ({ seq, ...frame }, socket) => socket.reply(frame as never, 'read_marked', { channel: 'room', seq })
  const channel = parley.channel('room')
  parley.inbox.subscribe(nothing)
  channel.open()
  await connect()
  const numbers = () => {
    const { readTo, unread } = channel.getSnapshot()
    const [row] = parley.inbox.getSnapshot().channels
    t.same([row!.read_seq, row!.unread_count, row!.last_seq], [readTo, unread, scene.room.entries.length])
    return [readTo, unread]
  }
  scene.text('one')
  const two = scene.text('two')
  t.same(numbers(), [0, 2])
  t.equal(parley.inbox.getSnapshot().channels[0]!.last_message_at, iso(clock.now()))
  scene.publish({ type: 'message_deleted', id: two.id })
  t.same(numbers(), [0, 1])
  scene.publish({ type: 'reaction_added', id: 'm1', reaction: '+' })
  t.same(numbers(), [0, 1])
  scene.text('mine, from another device', me)
  t.same(numbers(), [5, 0])
  scene.text('six')
  scene.text('seven')
  t.same(numbers(), [5, 2])
  channel.markRead(6)
  t.same(numbers(), [6, 1])
  channel.markRead(2)
  t.same(numbers(), [6, 1], 'a position never falls')
  channel.markRead()
  t.same(numbers(), [7, 0])
  scene.text('eight')
  scene.socket.say({ type: 'read_marker', channel: 'room', seq: 8 })
  t.same(numbers(), [8, 0])
  t.equal(asked().length, 1)
  scene.socket.end()
  scene.text('missed', {}, false)
  has('room', { last_seq: 9, read_seq: 8, unread_count: 1 })
  scene.room.readTo = 8
  await clock.advance(1000)
  t.same(numbers(), [8, 1])
})

t.test('[P44] unread messages beyond what is shown are counted by the list, in one request for all channels', async t => {
  const { parley, connect, clock, scene, has, asked } = withInbox(t)
  for (let i = 0; i < 80; i++) scene.text(`${i}`, {}, false)
  has('room', { last_seq: 80, unread_count: 80, at: 1 })
  has('other', { last_seq: 80, unread_count: 80, at: 1 })
  has('newer', { at: 2 })
  const channels = ['room', 'other'].map(name => parley.channel(name))
  for (const channel of channels) channel.open()
  await connect()
  t.equal(channels[0]!.getSnapshot().unread, 50)
  await clock.advance(1000)
  t.equal(asked().length, 1)
  for (const channel of channels) t.equal(channel.getSnapshot().unread, 80)
  scene.text('81')
  t.equal(channels[0]!.getSnapshot().unread, 81)
  await clock.advance(60_000)
  t.equal(asked().length, 1)
  for (let i = 0; i < 30; i++) scene.text('more')
  t.equal(channels[0]!.getSnapshot().unread, 100, '100 means 100 or more')
})

t.test('[P43] what another tab has read shows; where the rest cannot be counted, it is asked for', async t => {
  const { parley, connect, clock, scene, has, asked, unread, answers, page } = withInbox(t)
  has('room', { last_seq: 9, unread_count: 5, at: 1 })
  parley.inbox.subscribe(nothing)
  await connect()
  scene.socket.say({ type: 'read_marker', channel: 'room', seq: 7 })
  has('room', { read_seq: 7, unread_count: 2 })
  await clock.advance(3000)
  t.same(unread(), { room: 2 })
  t.equal(asked().length, 2)
  scene.socket.say({ type: 'read_marker', channel: 'room', seq: 9 })
  t.same(unread(), { room: 0 })
  await clock.advance(5000)
  const { channel_list: list } = answers
  answers.channel_list = ({ limit, cursor, ref }, socket) => {
    const late = page(limit, cursor)
    has('room', { read_seq: 10, last_seq: 10, unread_count: 0 })
    socket.say({ type: 'read_marker', channel: 'room', seq: 10 })
    socket.say({ ...late, ref })
    answers.channel_list = list!
  }
  has('room', { last_seq: 10, unread_count: 1 })
  parley.inbox.refresh()
  await clock.advance(0)
  t.same(unread(), { room: 0 }, 'an answer that is older than the marker is not taken')
  await clock.advance(5000)
  t.same(unread(), { room: 0 })
  scene.socket.say({ type: 'read_marker', channel: 'room', seq: 3 })
  scene.socket.say({ type: 'read_marker', channel: 'unknown', seq: 3 })
  await clock.advance(10_000)
  t.same(unread(), { room: 0 })
  t.equal(asked().length, 4)
})

t.test('a channel is marked as read without opening it, and an answer on its way does not bring the old number back', async t => {
  const { parley, connect, clock, has, hears, page, unread, answers } = withInbox(t)
  has('room', { last_seq: 9, unread_count: 5, at: 1 })
  answers.mark_read = ({ seq, ...frame }, socket) => {
    has('room', { read_seq: seq, unread_count: 0 })
    socket.reply(frame as never, 'read_marked', { channel: 'room', seq })
  }
  parley.inbox.subscribe(nothing)
  await connect()
  const { channel_list: list } = answers
  answers.channel_list = ({ limit, cursor, ref }, socket) => {
    const late = page(limit, cursor)
    parley.channel('room').markRead()
    t.same(unread(), { room: 0 })
    socket.say({ ...late, ref })
  }
  has('other')
  await clock.advance(5000)
  parley.inbox.refresh()
  answers.channel_list = list!
  await clock.advance(0)
  t.same(unread(), { room: 0, other: 0 })
  hears('room')
  await clock.advance(3000)
  t.same(unread(), { room: 1, other: 0 })
})

t.test('[P43] marks are made one at a time, at most every half second, and the highest counts', async t => {
  const { scene, channel, marks, server } = await opened(t, 30)
  for (let seq = 1; seq <= 20; seq++) channel.markRead(seq)
  t.match(channel.getSnapshot(), { readTo: 20, unread: 10 })
  await scene.clock.advance(0)
  t.same(marks(), [1])
  await scene.clock.advance(500)
  t.same(marks(), [1, 20])
  await scene.clock.advance(10_000)
  channel.markRead(99)
  await scene.clock.advance(0)
  t.same(marks(), [1, 20, 30], 'a mark beyond the last entry is one of the last entry')
  t.match(channel.getSnapshot(), { readTo: 30, unread: 0 })
  for (let i = 0; i < 120; i++) scene.text('more')
  t.equal(channel.getSnapshot().unread, 100, '100 means 100 or more')
  server.isDeaf = true
  channel.markRead(40)
  await scene.clock.advance(1000)
  channel.markRead(50)
  await scene.clock.advance(10_000)
  t.same(marks(), [1, 20, 30, 40], 'the reply to the mark before is awaited')
})

t.test('[P43] a channel is marked as read before there is a connection, and own messages are never unread', async t => {
  const { scene, marks } = await opened(t, 0)
  scene.text('mine', me, false)
  scene.text('of bob', {}, false)
  scene.socket.end()
  scene.parley.channel('elsewhere').markRead(7)
  await scene.clock.advance(1000)
  t.same(marks(), [7])
  t.match(scene.parley.channel('room').getSnapshot(), { unread: 1 })
})

t.test('[P43] a mark that is made without a connection, or whose reply is lost, is made with the next one', async t => {
  const { scene, channel, marks, server } = await opened(t, 30)
  server.isDeaf = true
  channel.markRead(10)
  await scene.clock.advance(0)
  scene.socket.end()
  channel.markRead(20)
  server.isDeaf = false
  t.match(channel.getSnapshot(), { readTo: 20, unread: 10 })
  await scene.clock.advance(1000)
  t.same(marks(), [20])
  t.match(channel.getSnapshot(), { readTo: 20, unread: 10 })

  await scene.clock.advance(10_000)
  scene.room.readTo = 15
  scene.socket.end()
  await scene.clock.advance(1000)
  t.same(marks(), [20], 'another instance may not know of the mark yet')
  scene.room.readTo = 25
  scene.socket.end()
  await scene.clock.advance(2000)
  t.same(marks(), [])
  t.match(channel.getSnapshot(), { readTo: 25, unread: 5 })
})

t.test('[P43] a mark that the server cannot take is made again; one that it refuses is taken back', async t => {
  const { scene, channel, marks, server } = await opened(t, 30)
  server.refusals.push({ code: 'busy' }, { code: 'rate_limited', retry_after_ms: 2500 }, { code: 'not_in_channel' })
  channel.markRead(10)
  await scene.clock.advance(999)
  t.same(marks(), [10])
  await scene.clock.advance(1)
  t.same(marks(), [10, 10])
  t.match(channel.getSnapshot(), { readTo: 10, unread: 20 })
  await scene.clock.advance(2500)
  t.same(marks(), [10, 10, 10])
  t.match(channel.getSnapshot(), { readTo: 0, unread: 30 })
  await scene.clock.advance(60_000)
  t.equal(marks().length, 3)
  channel.markRead()
  await scene.parley.disconnect()
  t.equal(scene.clock.pending, 0, '[C10]')
})

t.test('[C8] where a resume is refused, marks of what was there before have no effect', async t => {
  const { scene, channel, marks } = await opened(t, 30)
  channel.markRead()
  await scene.clock.advance(1000)
  scene.room.entries.splice(10)
  scene.room.readTo = 5
  scene.socket.end()
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { readTo: 5, unread: 5 })
  t.same(marks(), [])
})

t.test('[C7] another user does not inherit marks', async t => {
  const { scene, channel, marks } = await opened(t, 30)
  scene.socket.end()
  channel.markRead(20)
  scene.server.user = { ...scene.server.user, user_id: 'cid' }
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { state: 'live', readTo: 0, unread: 30 })
  t.same(marks(), [])
})

t.test('[P45] the positions of the others are read when somebody wants them, after each join, and notices raise them', async t => {
  let limit = 50
  const calls: string[] = []
  const scene: Scene = createScene(t, {
    async fetch (input) {
      const { searchParams, pathname } = new URL(String(input))
      calls.push(pathname)
      const isFirst = searchParams.get('cursor') === null
      say('bob', 4)
      say('cid', 9)
      const shown = (seq: number) => limit > 0 ? { read_seq: seq } : {}
      const members = isFirst ? [{ user_id: 'me', ...shown(7) }, { user_id: 'bob', ...shown(5) }] : [{ user_id: 'cid', ...shown(3) }]
      return Response.json({ members, next_cursor: isFirst ? 'more' : null })
    }
  })
  const say = (user: string, seq: number) => scene.socket.say({ type: 'user_read', channel: 'room', user_id: user, seq })
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  t.same(calls, [])
  say('bob', 2)
  t.same(channel.readers.getSnapshot(), {})
  const stop = channel.readers.subscribe(nothing)
  await scene.clock.advance(0)
  t.same(channel.readers.getSnapshot(), { bob: 5, cid: 9 })
  say('bob', 6)
  say('bob', 1)
  t.same(channel.readers.getSnapshot(), { bob: 6, cid: 9 })
  say('me', 8)
  t.equal(channel.getSnapshot().readTo, 8)
  scene.socket.end()
  t.same(channel.readers.getSnapshot(), {})
  await scene.clock.advance(1000)
  t.same(channel.readers.getSnapshot(), { bob: 5, cid: 9 })
  limit = 0
  scene.socket.end()
  await scene.clock.advance(2000)
  t.equal(calls.length, 6)
  stop()
  scene.socket.end()
  await scene.clock.advance(4000)
  t.equal(calls.length, 6)
})

/** Opens the channel `room` with so many messages of others, on a server that takes marks. */
async function opened (t: Test, count: number) {
  const scene = createScene(t)
  const server = { isDeaf: false, refusals: [] as Array<{ code: string, retry_after_ms?: number }> }
  scene.answers.mark_read = ({ seq, ...frame }, socket) => {
    if (server.isDeaf) return
    const refusal = server.refusals.shift()
    if (refusal) return socket.refuse(frame as Frame, refusal.code, refusal)
    scene.room.readTo = Math.max(scene.room.readTo, seq)
    socket.reply(frame as Frame, 'read_marked', { channel: 'room', seq: scene.room.readTo })
  }
  for (let i = 0; i < count; i++) scene.text(`${i}`, {}, false)
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  return { scene, channel, server, marks: () => scene.socket.asked('mark_read').map(({ seq }) => seq) }
}

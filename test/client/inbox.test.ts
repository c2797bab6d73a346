import { t } from '../tap.ts'
import { withInbox } from './lists.ts'

const nothing = (): void => {}

t.test('[P44] the inbox asks for nothing until somebody subscribes, and then for activity first, so that nothing is missed', async t => {
  const { parley, connect, clock, scene, has, asked, reads } = withInbox(t)
  has('one', { last_seq: 5, unread_count: 2, at: 1 })
  await connect()
  await clock.advance(10_000)
  t.same(parley.inbox.getSnapshot(), { state: 'idle', channels: [], directs: [], invitations: [] })
  t.match(scene.socket.sent.map(({ type, activity }) => [type, activity]), [['authenticate', undefined]])
  t.same(reads, [])
  for (let i = 0; i < 5; i++) parley.inbox.subscribe(nothing)
  t.equal(parley.inbox.getSnapshot().state, 'loading')
  await clock.advance(0)
  t.same(scene.socket.sent.slice(1).map(({ type, activity, joined }) => [type, activity ?? joined]), [
    ['authenticate', true], ['channel_list', true]
  ])
  t.match(asked(), [{ joined: true }])
  t.same(reads, ['/api/me/invitations'])
  t.match(parley.inbox.getSnapshot(), { state: 'live', channels: [{ name: 'one', last_seq: 5, unread_count: 2 }] })
})

t.test('[P44] channels and directs are in the order of their newest messages; what has not changed stays the same object', async t => {
  const { parley, connect, clock, has, hears, invitations } = withInbox(t)
  has('quiet')
  has('old', { at: 1 })
  has('new', { at: 2 })
  has('direct-1', { at: 3, channel_type: 'direct', peer: { user_id: 'bob', username: 'Bob', handle: 'bob' } })
  invitations.push({ channel: 'secret', channel_type: 'private' }, { channel: 'old', channel_type: 'private' })
  parley.inbox.subscribe(nothing)
  await connect()
  const before = parley.inbox.getSnapshot()
  t.same(before.channels.map(({ name }) => name), ['new', 'old', 'quiet'])
  t.match(before.directs, [{ name: 'direct-1', peer: { username: 'Bob' } }])
  t.match(before.invitations, { length: 1, 0: { channel: 'secret' } }, 'an invitation to a channel that was joined is used')
  t.equal(parley.inbox.getSnapshot(), before)
  hears('old')
  await clock.advance(3000)
  const after = parley.inbox.getSnapshot()
  t.same(after.channels.map(({ name }) => name), ['old', 'new', 'quiet'])
  t.equal(after.channels[1], before.channels[0])
  await clock.advance(5000)
  parley.inbox.refresh()
  await clock.advance(0)
  t.not(parley.inbox.getSnapshot(), after)
  for (const [i, row] of parley.inbox.getSnapshot().channels.entries()) t.equal(row, after.channels[i])
})

t.test('[P44] activity in any number of channels is one request for these channels, at most every 2 s, spread over a second', async t => {
  const { parley, connect, clock, has, hears, asked, unread } = withInbox(t)
  for (let i = 0; i < 20; i++) has(`room-${i}`, { at: i })
  parley.inbox.subscribe(nothing)
  await connect()
  await clock.advance(5000)
  for (const name of ['room-3', 'room-7', 'room-3']) hears(name)
  t.equal(asked().length, 1)
  await clock.advance(1000)
  t.match(asked(), { length: 2, 1: { limit: 2, joined: true } })
  t.match(unread(), { 'room-3': 2, 'room-7': 1, 'room-8': 0 })
  for (let i = 0; i < 100; i++) {
    hears(`room-${i % 3}`)
    await clock.advance(100)
  }
  t.ok(asked().length >= 5 && asked().length <= 7, `${asked().length} requests in 10 s`)
  await clock.advance(3000)
  const { length } = asked()
  t.match(unread(), { 'room-0': 34, 'room-1': 33, 'room-2': 33 })
  t.match(parley.inbox.getSnapshot().channels, { length: 20 })
  await clock.advance(60_000)
  t.equal(asked().length, length)
})

t.test('activity that the list knows already is no news, and an answer that is older than the activity does not hide it', async t => {
  const { parley, connect, clock, scene, has, hears, asked, unread, page, answers } = withInbox(t)
  has('room', { last_seq: 5, at: 1 })
  parley.inbox.subscribe(nothing)
  await connect()
  scene.socket.say({ type: 'channel_activity', channel: 'room', seq: 5, timestamp: '' })
  await clock.advance(5000)
  t.equal(asked().length, 1)
  const { channel_list: list } = answers
  answers.channel_list = ({ limit, cursor, ref }, socket) => {
    const late = page(limit, cursor)
    hears('room')
    socket.say({ ...late, ref })
  }
  hears('room')
  await clock.advance(1000)
  answers.channel_list = list!
  t.same(unread(), { room: 0 }, 'the older answer is not taken')
  await clock.advance(2000)
  t.same(unread(), { room: 2 })
  t.equal(asked().length, 3)
})

t.test('[C10] a lost connection costs one request for the list, after which it is exact; no timer stays after disconnect', async t => {
  const { parley, connect, clock, scene, has, hears, asked, unread, table } = withInbox(t)
  for (let i = 0; i < 30; i++) has(`room-${i}`, { at: i })
  parley.inbox.subscribe(nothing)
  const channels = ['room-1', 'room-2'].map(name => parley.channel(name))
  for (const channel of channels) channel.open()
  await connect()
  t.equal(parley.inbox.getSnapshot().state, 'live')
  for (let i = 0; i < 3; i++) {
    scene.socket.end()
    t.equal(parley.inbox.getSnapshot().state, 'loading')
    t.equal(parley.inbox.getSnapshot().channels.length, i === 0 ? 30 : 29, 'what is known stays')
    hears('room-9', false)
    hears('room-11', false)
    table.delete('room-5')
    await clock.advance(15_000)
    t.match(scene.socket.asked('authenticate'), [{ activity: true }])
    t.equal(asked().length, 1)
    t.match(unread(), { 'room-9': i + 1, 'room-11': i + 1 })
    t.notOk('room-5' in unread())
  }
  await clock.advance(10_000)
  t.equal(asked().length, 1)
  parley.inbox.refresh()
  await parley.disconnect()
  await clock.advance(0)
  t.equal(clock.pending, 0)
  await clock.advance(60_000)
  t.equal(clock.pending, 0)
})

t.test('a list of several pages is read whole, and a channel that moves to a page that was read before stays', async t => {
  const { parley, connect, clock, scene, has, hears, answers, asked, unread } = withInbox(t)
  for (let i = 0; i < 250; i++) has(`room-${i}`, { at: i })
  parley.inbox.subscribe(nothing)
  parley.channel('room-7').open()
  await connect()
  t.equal(parley.inbox.getSnapshot().channels.length, 250)
  t.same(asked().map(({ cursor }) => cursor), [undefined, '100', '200'])
  const { channel_list: list } = answers
  answers.channel_list = (frame, socket) => {
    list!(frame, socket)
    if (frame.cursor !== undefined) return
    hears('room-3')
    hears('room-7', false)
    scene.publish({ type: 'message', message: 'one', channel: 'room-7' })
  }
  await clock.advance(5000)
  parley.inbox.refresh()
  await clock.advance(0)
  t.equal(parley.inbox.getSnapshot().channels.length, 250)
  answers.channel_list = list!
  await clock.advance(3000)
  t.match(unread(), { 'room-3': 1, 'room-7': 1 })
})

t.test('a list that the server cannot give is asked for again, when the server says or after a wait that grows', async t => {
  let fetches = 0
  const { parley, connect, clock, has, answers, asked, unread } = withInbox(t, {
    async fetch () {
      fetches++
      throw new TypeError('fetch failed')
    }
  })
  has('room')
  const { channel_list: list } = answers
  const refusals = [{ code: 'rate_limited', retry_after_ms: 1234 }, ...Array.from({ length: 8 }, () => ({ code: 'unavailable' }))]
  answers.channel_list = (frame, socket) => {
    const next = refusals.shift()
    if (next) socket.refuse(frame, next.code, next)
    else list!(frame, socket)
  }
  parley.inbox.subscribe(nothing)
  await connect()
  await clock.advance(1233)
  t.equal(asked().length, 1)
  await clock.advance(1)
  t.equal(asked().length, 2)
  await clock.advance(600_000)
  t.equal(asked().length, 10)
  t.same(unread(), { room: 0 })
  t.ok(fetches > 20 && fetches < 80, `invitations are asked for again, ${fetches} times in 10 minutes`)
})

t.test('without a subscriber nothing is read, and the next subscriber gets what has happened meanwhile', async t => {
  const { parley, connect, clock, has, hears, asked, unread } = withInbox(t)
  has('room', { at: 1 })
  const stop = parley.inbox.subscribe(nothing)
  await connect()
  await clock.advance(5000)
  stop()
  stop()
  hears('room')
  await clock.advance(5000)
  t.equal(asked().length, 1)
  const second = parley.inbox.subscribe(nothing)
  t.equal(parley.inbox.getSnapshot().state, 'loading')
  second()
  parley.inbox.subscribe(nothing)
  await clock.advance(0)
  t.equal(asked().length, 2)
  t.same(unread(), { room: 1 })
})

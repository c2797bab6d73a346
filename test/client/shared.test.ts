import { manualClock } from '@parley/client/testing'
import type { Frame } from '../client.ts'
import { t } from '../tap.ts'
import { iso, me, ScriptedSocket, welcome } from './scripted.ts'
import { createMultiplexer, tokenOf } from './shared.ts'

const HOUR = 3_600_000

/** A multiplexer on a manual clock. The tests answer for the server. */
function createScene () {
  const clock = manualClock()
  const sockets: ScriptedSocket[] = []
  class Socket extends ScriptedSocket {
    constructor (url: string, protocols: string[] = []) {
      super(url, protocols, () => {})
      sockets.push(this)
    }
  }
  const multiplexer = createMultiplexer({ url: 'ws://parley.test/websocket', clock, WebSocket: Socket })
  /** The newest socket. */
  const socket = {
    say: (frame: object) => sockets.at(-1)!.say(frame),
    reply: (frame: Frame, action: string, data: object) => sockets.at(-1)!.reply(frame, action, data),
    refuse: (frame: Frame, code: string) => sockets.at(-1)!.refuse(frame, code),
    asked: (name: string): Frame[] => sockets.at(-1)!.asked(name),
    get isClosed () { return sockets.at(-1)!.isClosed }
  }
  const last = (name: string): Frame => socket.asked(name).at(-1)!

  function openTab (reads = true) {
    const frames: Frame[] = []
    const ends: Array<{ code: number, reason: string }> = []
    const state = { ups: 0, number: 0 }
    const { take, gone } = multiplexer.attach(message => {
      if (message.type === 'up') state.ups++
      else if (message.type === 'closed') ends.push({ code: message.code, reason: message.reason })
      else if (message.type === 'frame') {
        frames.push(JSON.parse(message.text))
        if (reads) take({ type: 'taken', size: message.text.length + 200 })
      }
    })
    const tab = {
      frames, ends, state, gone,
      open (): void { take({ type: 'open', socket: ++state.number }) },
      close (): void { take({ type: 'close', socket: state.number }) },
      send (frame: object): void { take({ type: 'send', socket: state.number, text: JSON.stringify(frame) }) },
      /** Frames of this type, in short: the `seq` of each. */
      seqs: (type = 'message') => frames.filter(frame => frame.type === type).map(({ seq }) => seq),
      /** Joins the channel, which the server answers like this. */
      join (fields: object, seq: number, more: object = {}): void {
        tab.send({ type: 'join_channel', channel: 'room', ref: 7, ...fields })
        joined(last('join_channel'), seq, more)
      }
    }
    tab.open()
    return tab
  }

  function joined (frame: Frame, seq: number, more: object = {}): void {
    sockets.at(-1)!.reply(frame, 'channel_joined', {
      channel: 'room', channel_id: 'room-1', seq, last_id: `m${seq}`, recovered: false, messages: [], ...more
    })
  }

  /** Greets and authenticates tabs. */
  function online (...tabs: Array<ReturnType<typeof openTab>>): void {
    if (sockets.at(-1)!.sent.length === 0) socket.say(welcome(clock.now()))
    for (const tab of tabs) {
      tab.send({ type: 'authenticate', ref: 1, token: tokenOf('me', clock.now() + HOUR) })
      const asked = last('authenticate')
      if (asked) socket.reply(asked, 'authenticated', { ...me, handle: 'ann', expires_at: iso(clock.now() + HOUR) })
    }
  }

  return { clock, sockets, multiplexer, openTab, online, joined, last, socket }
}

const entry = (seq: number, type = 'message') => ({ type, id: `m${seq}`, seq, channel: 'room', user_id: 'bob', timestamp: iso(seq) })

t.test('[C9] tabs share one socket; each gets the replies to what it has asked, under its own ref', async t => {
  const { openTab, online, socket, sockets, last } = createScene()
  const [first, second] = [openTab(), openTab()]
  online(first, second)
  t.equal(sockets.length, 1)
  first.send({ type: 'channel_list', ref: 5 })
  const asked = last('channel_list')
  second.send({ type: 'user_list', channel: 'room', ref: 5 })
  socket.say({ type: 'user_list', channel: 'room', count: 2, ref: last('user_list').ref })
  socket.say({ type: 'channel_list', channels: [], ref: asked.ref })
  t.match(first.frames.at(-1), { type: 'channel_list', ref: 5 })
  t.match(second.frames.at(-1), { type: 'user_list', count: 2, ref: 5 })
  second.send({ type: 'heartbeat' })
  socket.say({ type: 'heartbeat_ack', ref: last('heartbeat').ref })
  t.same(second.frames.at(-1), { type: 'heartbeat_ack' })
  first.close()
  t.notOk(socket.isClosed)
  second.close()
  await Promise.resolve()
  t.ok(socket.isClosed)
})

t.test('[C7] [C9] a later tab is greeted at once; a token that expires earlier does not shorten the connection', async t => {
  const { clock, openTab, online, socket } = createScene()
  const first = openTab()
  online(first)
  await clock.advance(5000)
  const second = openTab()
  t.match(second.frames, [{ type: 'welcome', server_time: iso(clock.now()), heartbeat_interval: 30 }])
  t.ok(second.frames[0]!.max_payload < first.frames[0]!.max_payload + 1)
  second.send({ type: 'authenticate', ref: 1, token: tokenOf('me', clock.now() + HOUR / 2) })
  t.match(second.frames.at(-1), { type: 'success', ref: 1, data: { user_id: 'me', expires_at: iso(clock.now() + HOUR / 2) } })
  t.equal(socket.asked('authenticate').length, 1)
  for (const token of [tokenOf('me', clock.now() + 2 * HOUR), tokenOf('me', clock.now() - 1), tokenOf('bob', clock.now() + 1000), 'bad']) {
    second.send({ type: 'authenticate', ref: 2, token })
  }
  t.equal(socket.asked('authenticate').length, 5, 'the server judges all others')
})

t.test('[C9] streams go to the tabs that are live in the channel, and the server hears of the last one that leaves', async t => {
  const { openTab, online, socket, last, joined } = createScene()
  const [first, second, third] = [openTab(), openTab(), openTab()]
  online(first, second, third)
  first.join({}, 5)
  second.send({ type: 'join_channel', channel: 'room', ref: 8 })
  socket.say(entry(6))
  t.same([first, second, third].map(tab => tab.seqs()), [[6], [], []], 'no message comes before the reply to the join')
  joined(last('join_channel'), 6)
  socket.say(entry(7))
  socket.say({ type: 'user_joined', channel: 'room', user_id: 'bob' })
  socket.say({ type: 'kicked_from_channel', channel: 'other' })
  t.same([first, second, third].map(tab => tab.seqs()), [[6, 7], [7], []])
  t.same([first, second, third].map(tab => tab.frames.filter(({ type }) => type === 'user_joined').length), [1, 1, 0])
  t.same([first, second, third].map(tab => tab.frames.filter(({ type }) => type === 'kicked_from_channel').length), [1, 1, 1])

  first.send({ type: 'unsubscribe_channel', channel: 'room', ref: 9 })
  t.match(first.frames.at(-1), { type: 'success', action: 'channel_unsubscribed', ref: 9 })
  t.equal(socket.asked('unsubscribe_channel').length, 0)
  socket.say(entry(8))
  t.same([first, second].map(tab => tab.seqs()), [[6, 7], [7, 8]])
  second.gone()
  t.equal(socket.asked('unsubscribe_channel').length, 1)

  third.send({ type: 'join_channel', channel: 'room', ref: 1 })
  const refused = last('join_channel')
  third.send({ type: 'unsubscribe_channel', channel: 'room', ref: 2 })
  t.equal(socket.asked('unsubscribe_channel').length, 2, 'the join that is under way ends, too')
  joined(refused, 9)
  socket.say(entry(10))
  t.same(third.seqs(), [])
})

t.test('[C1] [C9] what the reply to a second join covers reaches the tabs that were live before, in order and once', async t => {
  const { openTab, online, socket, last, joined } = createScene()
  const [first, second, third] = [openTab(), openTab(), openTab()]
  online(first, second, third)
  first.join({ history: 50 }, 5)
  second.join({ history: 50 }, 7, { messages: [{ ...entry(6), edited_at: iso(7) }] })
  t.match(last('join_channel'), { since: 5, since_id: 'm5', channel_id: 'room-1' }, 'a page has no edits')
  socket.say(entry(8))
  t.same(first.seqs(), [])
  joined(last('join_channel'), 8, { recovered: true, messages: [entry(6), entry(7, 'message_edited'), entry(8)] })
  socket.say(entry(9))
  t.same([first.seqs(), first.seqs('message_edited')], [[6, 8, 9], [7]])
  t.same(second.seqs(), [6, 8, 9], 'the client drops what its reply has covered')

  third.join({ since: 8, channel_id: 'room-1' }, 11, { recovered: true, messages: [entry(9), entry(10), entry(11)] })
  t.equal(last('join_channel').since, 8, 'a resume has it all')
  t.same(first.seqs(), [6, 8, 9, 10, 11])
  t.same(third.seqs(), [])
})

t.test('[C9] tabs that cannot be given what they have missed come back by themselves', async t => {
  for (const refuse of [true, false]) {
    const { openTab, online, socket, last, joined } = createScene()
    const [first, second, other] = [openTab(), openTab(), openTab()]
    online(first, second, other)
    first.join({ history: 50 }, 5)
    second.join({ history: 50 }, 7)
    if (refuse) socket.refuse(last('join_channel'), 'rate_limited')
    else joined(last('join_channel'), 2000)
    t.match(first.ends, [{ code: 1006 }])
    t.match(second.ends, [{ code: 1006 }])
    t.same(other.ends, [])
    t.equal(socket.asked('unsubscribe_channel').length, 1)
  }
})

t.test('[C9] a channel that was made anew under its name is another one to the tabs that knew it', async t => {
  const { openTab, online } = createScene()
  const [first, second] = [openTab(), openTab()]
  online(first, second)
  first.join({}, 5)
  second.join({}, 1, { channel_id: 'room-2' })
  t.match(first.frames.at(-1), { type: 'channel_deleted', channel: 'room' })
  t.notMatch(second.frames.at(-1), { type: 'channel_deleted' })
})

t.test('[C9] tabs hear of each other what the server tells the other connections of a user', async t => {
  const { clock, openTab, online, socket, last } = createScene()
  const [first, second, third] = [openTab(), openTab(), openTab()]
  online(first, second, third)
  first.join({}, 5)
  second.join({}, 5)
  const told = () => [second, third].map(tab => tab.frames.at(-1)!)
  first.send({ type: 'signal', channel: 'room', event: 'typing', data: { typing: true } })
  socket.reply(last('signal'), 'signal_sent', { channel: 'room' })
  t.match(told()[0], { type: 'signal', event: 'typing', user_id: 'me', username: 'Ann', handle: 'ann', data: { typing: true } })
  t.not(told()[1]!.type, 'signal')
  first.send({ type: 'mark_read', channel: 'room', seq: 4, ref: 1 })
  socket.reply(last('mark_read'), 'read_marked', { channel: 'room', seq: 4 })
  t.match(told(), [{ type: 'read_marker', seq: 4 }, { type: 'read_marker', seq: 4 }])
  first.send({ type: 'open_direct', user_id: 'bob', ref: 1 })
  socket.reply(last('open_direct'), 'direct_opened', { channel: { name: 'direct-1' } })
  t.match(told(), [{ type: 'direct_opened', channel: { name: 'direct-1' } }, { type: 'direct_opened' }])
  first.send({ type: 'leave_channel', channel: 'room', ref: 1 })
  socket.reply(last('leave_channel'), 'channel_left', { channel: 'room' })
  t.match(told(), [{ type: 'channel_left', channel: 'room' }, { type: 'channel_left' }])
  t.notOk(first.frames.some(({ type }) => ['signal', 'read_marker', 'direct_opened', 'channel_left'].includes(type)))

  socket.say({ type: 'degraded', timestamp: iso(0) })
  const late = openTab()
  late.send({ type: 'authenticate', ref: 1, token: tokenOf('me', clock.now() + HOUR / 2) })
  t.match(late.frames.at(-1), { type: 'degraded' })
})

t.test('[C9] a tab that asked for activity learns of messages in channels that only other tabs are in, once a second at most', async t => {
  const { clock, openTab, online, socket, last } = createScene()
  const [first, second, third] = [openTab(), openTab(), openTab()]
  online(first, third)
  second.send({ type: 'authenticate', ref: 1, activity: true, token: tokenOf('me', clock.now() + HOUR / 2) })
  t.equal(last('authenticate').activity, true)
  socket.reply(last('authenticate'), 'authenticated', { ...me, handle: 'ann', expires_at: iso(clock.now() + HOUR) })
  first.join({}, 5)
  for (const seq of [6, 7, 8]) socket.say(entry(seq))
  t.same(second.seqs('channel_activity'), [6])
  await clock.advance(1000)
  t.same(second.seqs('channel_activity'), [6, 8])
  socket.say({ type: 'channel_activity', channel: 'elsewhere', seq: 3, timestamp: iso(0) })
  t.same(second.seqs('channel_activity'), [6, 8, 3])
  for (const tab of [first, third]) t.same(tab.seqs('channel_activity'), [])
  await clock.advance(1000)
  first.gone()
  second.gone()
  third.gone()
  t.equal(clock.pending, 0)
})

t.test('[C9] a tab that does not read is let go before its frames fill the memory, and comes back when it reads again', async t => {
  const { openTab, online, socket } = createScene()
  const [frozen, other] = [openTab(false), openTab()]
  online(frozen, other)
  frozen.join({}, 0)
  other.join({}, 0)
  for (let seq = 1; seq <= 100; seq++) socket.say({ ...entry(seq), message: 'x'.repeat(60_000) })
  t.match(frozen.ends, [{ code: 1006, reason: 'the tab does not read' }])
  t.ok(frozen.seqs().length < 75, `${frozen.seqs().length} frames wait`)
  t.equal(other.seqs().length, 100)
  frozen.open()
  t.match(frozen.frames.at(-1), { type: 'welcome' })
  other.gone()
  t.notOk(socket.isClosed)
})

t.test('[C6] [C9] a dead connection is noticed without a tab\'s timers; the first tab that tries again connects for all', async t => {
  const { clock, sockets, openTab, online } = createScene()
  const [first, second] = [openTab(), openTab()]
  online(first, second)
  await clock.advance(39_999)
  t.same(first.ends, [])
  await clock.advance(1)
  t.match([first.ends, second.ends], [[{ code: 1006, reason: 'no sign of life' }], [{ code: 1006 }]])
  first.open()
  t.equal(sockets.length, 2)
  t.equal(second.state.ups, 0)
  online(first)
  t.equal(second.state.ups, 1, 'the other need not wait any longer')
  second.open()
  t.equal(sockets.length, 2)
  sockets[1]!.end(1012, 'service restart retry_after_ms=5000')
  t.match(second.ends.at(-1), { code: 1012, reason: 'service restart retry_after_ms=5000' })

  first.open()
  await clock.advance(20_000)
  t.match(first.ends.at(-1), { code: 1006, reason: 'no answer' })
  t.equal(clock.pending, 0)
})

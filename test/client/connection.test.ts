import { t } from '../tap.ts'
import { createScene, iso, welcome } from './scripted.ts'

const DAY = 86_400_000

t.test('[C5] connects with the subprotocol, under the path prefix of its URL, and is online as its user', async t => {
  const { parley, socket: none, sockets, connect } = createScene(t, { url: 'https://example.org/chat/' })
  t.equal(none, undefined)
  t.same(parley.getSnapshot(), { state: 'idle' })
  await connect()
  t.match(sockets[0], { url: 'wss://example.org/chat/websocket', protocols: ['parley.v1'] })
  t.match(parley.getSnapshot(), { state: 'online', user: { user_id: 'me', username: 'Ann' }, degraded: false })
})

t.test('[C5] after a lost connection it waits with full jitter, at most twice as long each time, up to 30 s', async t => {
  const { parley, server, clock, connect } = createScene(t)
  server.isDown = true
  await connect()
  const waits: number[] = []
  for (let i = 0; i < 40; i++) {
    const state = parley.getSnapshot()
    if (state.state !== 'waiting') return t.fail(state.state)
    waits.push(state.retryAt - clock.now())
    await clock.advance(waits.at(-1)!)
  }
  for (const [i, wait] of waits.entries()) t.ok(wait >= 500 && wait <= Math.min(30_000, 1000 * 2 ** i), `wait ${i}: ${wait}`)
  t.ok(waits.slice(10).some(wait => wait < 10_000) && waits.slice(10).some(wait => wait > 20_000), 'the jitter is full')
})

t.test('[C5] the wait begins anew only after 10 s of being online', async t => {
  const { parley, sockets, clock, connect } = createScene(t)
  const bound = async (online: number): Promise<number> => {
    await clock.advance(online)
    const { random } = clock
    clock.random = () => 0.999
    sockets.at(-1)!.end()
    clock.random = random
    const state = parley.getSnapshot()
    if (state.state !== 'waiting') throw new Error(state.state)
    const wait = state.retryAt - clock.now()
    await clock.advance(wait)
    return Math.round(wait / 1000)
  }
  await connect()
  t.equal(await bound(9000), 1)
  t.equal(await bound(9000), 2)
  t.equal(await bound(9000), 4)
  t.equal(await bound(10_000), 1)
})

t.test('[C5] the time that a server names when it restarts is obeyed exactly, also when the page is shown', async t => {
  const { parley, sockets, clock, connect } = createScene(t)
  await connect()
  sockets[0]!.end(1012, 'service restart retry_after_ms=7123')
  t.match(parley.getSnapshot(), { state: 'waiting', reason: { code: 1012 }, retryAt: clock.now() + 7123 })
  await clock.advance(7122)
  t.equal(sockets.length, 1)
  await clock.advance(1)
  t.equal(sockets.length, 2)
  t.equal(parley.getSnapshot().state, 'online')
})

t.test('[C5] close codes: 4500 to 4999 end, all others are tried again; after an end, connect begins anew', async t => {
  for (const code of [1001, 1006, 1011, 1012, 1013, 1014, 4400, 4401, 4402, 4403, 4499]) {
    const { parley, sockets, connect, clock } = createScene(t)
    await connect()
    sockets[0]!.end(code, 'why')
    t.match(parley.getSnapshot(), { state: 'waiting', reason: { code, reason: 'why' } }, String(code))
    await clock.advance(1000)
    t.equal(parley.getSnapshot().state, 'online')
  }
  for (const code of [4500, 4501, 4502, 4503, 4504]) {
    const { parley, sockets, connect, clock } = createScene(t)
    await connect()
    sockets[0]!.end(code, 'why')
    t.same(parley.getSnapshot(), { state: 'ended', reason: { code, reason: 'why' } })
    await clock.advance(DAY)
    t.equal(sockets.length, 1)
    t.equal(clock.pending, 0)
    await connect()
    t.equal(parley.getSnapshot().state, 'online')
  }
})

t.test('[C5] connect ends the wait, because somebody asks for it, also a wait that the server has named', async t => {
  const { parley, sockets, connect } = createScene(t)
  await connect()
  sockets[0]!.end(1012, 'service restart retry_after_ms=20000')
  t.equal(parley.getSnapshot().state, 'waiting')
  await connect()
  t.equal(parley.getSnapshot().state, 'online')
  t.equal(sockets.length, 2)
})

t.test('[C5] an attempt that gets no answer is given up after 20 s', async t => {
  const { parley, server, sockets, clock, connect } = createScene(t)
  server.isSilent = true
  await connect()
  await clock.advance(19_999)
  t.equal(parley.getSnapshot().state, 'connecting')
  await clock.advance(1)
  t.equal(parley.getSnapshot().state, 'waiting')
  server.isSilent = false
  await clock.advance(1000)
  t.equal(sockets.length, 2)
  t.equal(parley.getSnapshot().state, 'online')
})

t.test('[C6] a connection that dies in silence is noticed within heartbeat_interval + 10 s', async t => {
  const { parley, server, clock, connect } = createScene(t)
  await connect()
  await clock.advance(123_456)
  t.equal(parley.getSnapshot().state, 'online')
  server.isSilent = true
  const diedAt = clock.now()
  while (parley.getSnapshot().state === 'online' && clock.now() - diedAt < 60_000) await clock.advance(100)
  t.ok(clock.now() - diedAt <= 40_000, `${clock.now() - diedAt} ms`)
})

t.test('[C6] frames show that a connection lives, also if heartbeats are not answered', async t => {
  const { parley, sockets, answers, clock, connect } = createScene(t)
  await connect()
  answers.heartbeat = () => {}
  for (let i = 0; i < 30; i++) {
    await clock.advance(9000)
    sockets[0]!.say({ type: 'announcement', message: 'still here', timestamp: iso(clock.now()) })
  }
  t.equal(parley.getSnapshot().state, 'online')
  t.ok(sockets[0]!.asked('heartbeat').length >= 8, 'the server is told that the client lives')
})

t.test('[C6] after a sleep the connection is in doubt at once, and given up after 3 s without an answer', async t => {
  const { parley, server, clock, connect, sockets } = createScene(t)
  await connect()
  await clock.advance(1000)
  server.isSilent = true
  clock.jump(3_600_000)
  await clock.advance(0)
  t.equal(sockets[0]!.asked('heartbeat').length, 1)
  await clock.advance(3000)
  t.equal(parley.getSnapshot().state, 'waiting')
})

t.test('[C6] a connection that has survived a sleep stays, even if the answer to an earlier heartbeat is read late', async t => {
  const { parley, server, sockets, clock, connect } = createScene(t)
  await connect()
  server.isSilent = true
  await clock.advance(30_000)
  t.equal(sockets[0]!.asked('heartbeat').length, 1)
  clock.jump(3_600_000)
  server.isSilent = false
  await clock.advance(60_000)
  t.equal(parley.getSnapshot().state, 'online')
  t.equal(sockets.length, 1)
})

t.test('[C6] a hidden tab whose timers run once a minute keeps its connection for an hour', async t => {
  const { parley, sockets, clock, connect } = createScene(t)
  await connect()
  for (let i = 0; i < 60; i++) {
    clock.jump(60_000)
    await clock.advance(0)
  }
  t.equal(parley.getSnapshot().state, 'online')
  t.equal(sockets.length, 1)
  t.ok(sockets[0]!.asked('heartbeat').length >= 30)
})

t.test('[C11] a day of heartbeats passes in a moment', async t => {
  const { parley, sockets, clock, connect } = createScene(t)
  await connect()
  await clock.advance(DAY)
  t.equal(parley.getSnapshot().state, 'online')
  t.equal(sockets[0]!.asked('heartbeat').length, DAY / 30_000)
})

t.test('[C12] unknown frames and fields are ignored and logged; another protocol ends with a clear reason', async t => {
  const { parley, server, sockets, log, clock, connect } = createScene(t)
  await connect()
  const odd = ['', 'null', '[]', '{"type":1}', '{"type":"constructor","channel":"__proto__"}', '{"type":"from_the_future","ref":99}']
  for (const text of odd) sockets[0]!.say(text)
  sockets[0]!.say({ type: 'announcement', message: 'hello', timestamp: iso(0), added_later: {} })
  t.equal(parley.getSnapshot().state, 'online')
  t.ok(log.some(({ type, frame }) => type === 'ignored' && frame === 'from_the_future'))
  t.notOk(log.some(({ type }) => type === 'fault'))

  server.isSilent = true
  sockets[0]!.end()
  await clock.advance(1000)
  sockets[1]!.say({ ...welcome(clock.now()), protocol: 2 })
  t.same(parley.getSnapshot(), { state: 'ended', reason: { code: 'protocol', reason: 'the server speaks protocol 2, this client 1' } })
})

t.test('[C10] after disconnect no timer is left, waiting calls are refused, and nothing happens any more', async t => {
  const { parley, server, sockets, clock, connect } = createScene(t)
  await connect()
  const room = parley.channel('room')
  room.open()
  await clock.advance(100)
  room.typing()
  const lost = parley.request('channel_list', {})
  const ended = parley.disconnect()
  await t.rejects(lost, { code: 'offline', again: true })
  await ended
  t.equal(clock.pending, 0)
  t.same(parley.getSnapshot(), { state: 'idle' })
  await clock.advance(DAY)
  t.equal(sockets.length, 1)

  server.isDown = true
  await connect()
  t.equal(parley.getSnapshot().state, 'waiting')
  await parley.disconnect()
  t.equal(clock.pending, 0)
})

t.test('a request waits for the connection, has a deadline, can be given up, and gets exactly its own reply', async t => {
  const { parley, answers, sockets, clock, connect } = createScene(t)
  const early = parley.request('channel_list', { limit: 3 })
  answers.channel_list = ({ limit, ref }, socket) => socket.say({ type: 'channel_list', channels: [], next_cursor: `${limit}`, ref })
  await connect()
  t.match(await early, { next_cursor: '3' })

  answers.kick_user = (frame, socket) => socket.refuse(frame, 'not_authorized')
  const kick = parley.request('kick_user', { channel: 'room', user_id: 'bob' })
  await t.rejects(kick, { name: 'ParleyError', code: 'not_authorized', again: false })
  t.match(sockets[0]!.asked('kick_user'), [{ type: 'command', command: 'kick_user', channel: 'room', user_id: 'bob' }])

  delete answers.channel_list
  const slow = t.rejects(parley.request('channel_list', {}, { timeout: 2000 }), { code: 'timeout' })
  await clock.advance(2000)
  await slow
  const stop = new AbortController()
  const given = t.rejects(parley.request('channel_list', {}, { signal: stop.signal }), { code: 'aborted' })
  stop.abort()
  await given
  await t.rejects(parley.request('channel_list', {}, { signal: stop.signal }), { code: 'aborted' })
  await t.rejects(parley.request('update_channel', { channel: 'room', topic: 'x'.repeat(70_000) }), { code: 'message_too_long' })
  t.equal(parley.getSnapshot().state, 'online', 'a frame that would end the connection is not sent')
})

t.test('listeners get notices of their type, and one that throws disturbs nobody', async t => {
  const { parley, sockets, log, connect } = createScene(t)
  await connect()
  const heard: string[] = []
  parley.on('announcement', () => { throw new Error('a fault of the application') })
  const stop = parley.on('announcement', ({ message }) => heard.push(message))
  parley.subscribe(() => { throw new Error('another') })
  sockets[0]!.say({ type: 'announcement', message: 'one', timestamp: iso(0) })
  stop()
  sockets[0]!.say({ type: 'announcement', message: 'two', timestamp: iso(0) })
  t.same(heard, ['one'])
  sockets[0]!.say({ type: 'degraded', timestamp: iso(0) })
  t.match(parley.getSnapshot(), { state: 'online', degraded: true })
  sockets[0]!.say({ type: 'restored', timestamp: iso(0) })
  t.match(parley.getSnapshot(), { state: 'online', degraded: false })
  t.equal(log.filter(({ type }) => type === 'fault').length, 4)
})

import { mock } from 'node:test'
import { encode } from '../../src/connections/frames.ts'
import { t, type Test } from '../tap.ts'
import { ann, createSession, heartbeat, limits } from './session.ts'

/** Replaces the wall clock by one that only the returned function moves, in Unix milliseconds. */
function createWallClock (t: Test): (time: number) => void {
  mock.timers.enable({ apis: ['Date'], now: 0 })
  t.teardown(() => mock.timers.reset())
  return time => mock.timers.setTime(time)
}

t.test('[P14] a connection closes with 4401 30 s after its token expired, and not sooner', async t => {
  const setWallClock = createWallClock(t)
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', 60_000)
  session.receive(heartbeat)
  for (const time of [60_001, 89_999]) {
    setWallClock(time)
    tick(time)
    session.pong()
  }
  t.notOk(session.closing)
  setWallClock(90_000)
  tick(90_000)
  t.match(socket.calls, [/ping/, 'close 4401 token expired'])
})

t.test('[P13] [P14] a fresh token postpones the close', async t => {
  const setWallClock = createWallClock(t)
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', 1000)
  setWallClock(30_999)
  tick(30_999)
  session.pong()
  session.authenticated(ann, 'sid', 91_000)
  setWallClock(31_000)
  tick(31_000)
  session.pong()
  t.notOk(session.closing)
  setWallClock(121_000)
  tick(31_001)
  t.equal(socket.calls.at(-1), 'close 4401 token expired')
})

t.test('[P14] a token that expired while the machine was suspended closes its connection at the next tick', async t => {
  const setWallClock = createWallClock(t)
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', 3_600_000)
  tick(1000)
  setWallClock(8 * 3_600_000)
  tick(3000)
  t.same(socket.calls, ['close 4401 token expired'])
})

t.test('[P16] a guest\'s connection does not expire', async t => {
  const { session, tick } = createSession()
  session.authenticated({ ...ann, guest: true }, null, Infinity)
  tick(limits.connectionTimeout - 1)
  t.notOk(session.closing)
})

t.test('[P11] frames do not postpone the deadline of authentication', async t => {
  const { session, socket, tick } = createSession()
  tick(9_999)
  session.receive(heartbeat)
  t.notOk(session.closing)
  tick(10_000)
  t.same(socket.calls, ['close 4500 authentication timeout'])
})

t.test('a ping is sent every heartbeat_interval, and a ping that is unanswered for pong_timeout closes with 4403', async t => {
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', Infinity)
  for (const time of [29_999, 30_000, 31_000]) tick(time)
  t.same(socket.calls, ['ping'])
  session.pong()
  for (const time of [59_999, 60_000]) tick(time)
  t.same(socket.calls, ['ping', 'ping'])
  session.receive(heartbeat)
  tick(69_999)
  t.notOk(session.closing)
  tick(70_000)
  t.equal(socket.calls.at(-1), 'close 4403 no pong')
})

t.test('a connection closes with 4402 when connection_timeout has passed since its last frame', async t => {
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', Infinity)
  tick(200_000)
  session.pong()
  session.receive(heartbeat)
  tick(499_999)
  session.pong()
  t.notOk(session.closing)
  tick(500_000)
  t.equal(socket.calls.at(-1), 'close 4402 connection timeout')
})

t.test('a peer that does not answer the close frame is cut off after 5 s, or after 1 s if it was slow or sent no pong', async t => {
  for (const [name, after] of [['session_revoked', 5000], ['slow_consumer', 1000], ['no_pong', 1000]] as const) {
    const { session, socket, tick } = createSession()
    session.close(name)
    tick(after - 1)
    t.notOk(socket.calls.includes('terminate'), name)
    tick(after)
    t.equal(socket.calls.at(-1), 'terminate', name)
  }
})

t.test('[P42] signals are dropped while the socket does not keep up and beyond what one turn may add; messages are not', async t => {
  const { session, socket, sent } = createSession()
  session.authenticated(ann, 'sid', Infinity)
  const signal = encode({ type: 'signal', data: 'x'.repeat(1000) })
  session.signal(signal)
  t.equal(sent().length, signal.length)
  for (let i = 0; i < 100; i++) session.signal(signal)
  const all = sent().length
  t.ok(all > 15_000 && all < 20_000, `${all} bytes`)
  socket.buffered = 1
  session.signal(signal)
  t.equal(sent().length, all)
  session.send(encode({ type: 'message' }), 1)
  t.match(sent(), /"message"/)
})

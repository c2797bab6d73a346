import { mock } from 'node:test'
import { loadConfig } from '../../src/config.ts'
import { AppError } from '../../src/errors.ts'
import { createOutboundMemory } from '../../src/connections/backlog.ts'
import { decode, type Envelope } from '../../src/requests/envelope.ts'
import { table } from '../../src/requests/table.ts'
import { DROP, PASS, WAIT } from '../../src/connections/frame-reader.ts'
import { InboxBudget } from '../../src/connections/inbox-budget.ts'
import { createLimits, type Allowance } from '../../src/connections/limits.ts'
import type { Reply } from '../../src/connections/reply.ts'
import { Session, type SessionUser } from '../../src/connections/session.ts'
import { createTraffic } from '../../src/connections/traffic.ts'
import type { Transport } from '../../src/connections/transport.ts'
import { Turns } from '../../src/connections/turns.ts'
import { t, type Test } from '../tap.ts'

const ann: SessionUser = { id: 'u1', name: 'ann', email: 'ann@example.org', role: 'user', guest: false, disconnects: 0 }
const limits = {
  authenticationTimeout: 10_000, connectionTimeout: 300_000, heartbeatInterval: 30_000, pongTimeout: 10_000, maxBuffered: 100_000,
  maxPayload: 65_536, unauthenticatedFrame: 65_536
}

/** Shared by all sessions of these tests, as all connections of a process share it. */
const largeFrames = new Turns()

/** A session with a simulated clock and socket, whose requests `handle` answers. */
function createSession (
  handle: (request: Envelope) => Promise<Reply> | Reply = () => ({ frame: { type: 'success' } }), allowance: Allowance | null = null,
  inboxes = new InboxBudget(100_000_000)
) {
  const clock = { now: 0 }
  const socket = { buffered: 0, written: [] as Buffer[], calls: [] as string[] }
  const sends: Array<(reply: Buffer) => void> = []
  const faults: unknown[] = []
  /** Frames that have arrived and have not been read. */
  const unread: Buffer[] = []
  const call = (name: string) => (): void => { socket.calls.push(name) }
  const transport: Transport = {
    get buffered () { return socket.buffered },
    address: '127.0.0.1',
    bytesReceived: 0,
    bytesSent: 0,
    write: frames => { socket.written.push(frames) },
    cork: () => {},
    uncork: () => {},
    pause: call('pause'),
    resume: () => {
      call('resume')()
      arrive(...unread.splice(0))
    },
    ping: call('ping'),
    terminate: call('terminate'),
    close: (code, reason) => { socket.calls.push(`close ${code} ${reason}`) }
  }
  const session = new Session('s1', transport, allowance, {
    traffic: createTraffic(Object.keys(table)),
    memory: createOutboundMemory(Infinity),
    now: () => clock.now,
    limits,
    inboxes,
    largeFrames,
    requests: {
      read: decode,
      costOf: () => undefined,
      handle: (_, request) => handle(request),
      handleSend: (_, __, done) => { sends.push(done) }
    },
    scheduleFlush: () => {},
    onFault: error => { faults.push(error) }
  })
  /** Lets text frames arrive, which are read as far as the session admits them. */
  function arrive (...frames: Buffer[]): void {
    for (const frame of frames) {
      const { length } = frame
      const verdict = unread.length > 0 ? WAIT : session.inbox.admit({ opcode: 1, isFinal: true, length, messageLength: length })
      if (verdict === WAIT) unread.push(frame)
      else if (verdict !== DROP) session.receive(frame, verdict)
    }
  }
  return {
    session,
    socket,
    arrive,
    sends,
    faults,
    /** Lets the clock tick once, at this time. */
    tick: (time: number): void => { session.tick(clock.now = time) },
    /** Everything sent so far. */
    sent: (): string => { session.flush(); return Buffer.concat(socket.written).toString('latin1') }
  }
}

const heartbeat = Buffer.from('{"type":"heartbeat"}')
const send = Buffer.from('{"type":"send_message"}')

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

t.test('requests are not read while more than half of max_buffered waits to be sent, and are read again afterwards', async t => {
  const { session, socket } = createSession()
  session.send(Buffer.alloc(10), 1)
  socket.buffered = 50_001
  session.flush()
  t.same(socket.calls, ['pause'])
  socket.buffered = 0
  session.drained()
  t.same(socket.calls, ['pause', 'resume'])
})

t.test('requests are not read while 64 wait for their turn, and are read again afterwards', async t => {
  let release: (reply: Reply) => void = () => {}
  const { socket, arrive, sent } = createSession(() => new Promise(resolve => { release = resolve }))
  arrive(...Array.from({ length: 64 }, () => heartbeat))
  t.same(socket.calls, [], 'one request has started, and 63 wait')
  arrive(heartbeat)
  t.same(socket.calls, ['pause'])
  for (let i = 0; i < 65; i++) {
    release({ frame: { type: 'success' } })
    await new Promise(resolve => setImmediate(resolve))
  }
  t.same(socket.calls, ['pause', 'resume'])
  t.equal(sent().match(/success/g)!.length, 65)
})

t.test('[P7] sends run concurrently, their replies keep the order, and any other request waits for them', async t => {
  const order: string[] = []
  const { session, sends, sent } = createSession(({ type }) => { order.push(type); return { frame: { type: 'heartbeat_ack' } } })
  for (const frame of [send, send, heartbeat, send]) session.receive(frame)
  t.equal(sends.length, 2)
  sends[1]!(Buffer.from('two '))
  t.equal(sent(), '')
  t.same(order, [])
  sends[0]!(Buffer.from('one '))
  t.same(order, ['heartbeat'])
  t.equal(sends.length, 3, 'the send after the heartbeat has started')
  sends[2]!(Buffer.from(' four'))
  t.match(sent(), /^one two .*heartbeat_ack.* four$/)
})

t.test('the 10th violation closes with 4501 only if all ten are within 60 s', async t => {
  const { session, socket, tick } = createSession()
  session.authenticated(ann, 'sid', Infinity)
  for (let i = 0; i < 9; i++) session.receive(Buffer.from('{'))
  tick(60_000)
  session.pong()
  session.receive(Buffer.from('{'))
  t.notOk(session.closing, 'the first nine are too old to count')
  tick(119_999)
  for (let i = 0; i < 8; i++) session.receive(Buffer.from('{'))
  t.notOk(session.closing)
  session.receive(Buffer.from('{'))
  t.equal(socket.calls.at(-1), 'close 4501 protocol violation')
})

t.test('[G15] whatever a handler throws, its request gets one reply, and the next request gets its own', async t => {
  const throws: Array<() => Promise<Reply> | Reply> = [
    () => { throw new Error('sync') },
    async () => { throw new Error('async') },
    () => Promise.reject(new AppError('unavailable', { retryAfterMs: 5 })),
    () => ({ frame: { type: 'success' } })
  ]
  const { session, sent, faults } = createSession(() => throws.shift()!())
  for (let i = 0; i < 4; i++) session.receive(heartbeat)
  await new Promise(resolve => setImmediate(resolve))
  t.same(sent().match(/"(internal|unavailable|success)"/g), ['"internal"', '"internal"', '"unavailable"', '"success"'])
  t.match(faults, [{ message: 'sync' }, { message: 'async' }])
})

t.test('a closing connection starts no request and sends nothing', async t => {
  const { session, socket, sends, sent } = createSession()
  session.receive(send)
  session.receive(heartbeat)
  session.close('disconnected')
  sends[0]!(Buffer.from('late'))
  session.receive(send)
  t.equal(sent(), '')
  t.equal(sends.length, 1)
  session.close('session_revoked')
  t.same(socket.calls, ['close 4503 disconnected by administrator'], 'the first close reason is kept')
})

t.test('[P35] a connection that keeps sending is not read after 128 refusals until the next tick', async t => {
  const now = { real: 0 }
  const limits = createLimits({ ...loadConfig({}).config.limits, connection_frames: 1 }, () => now.real)
  const { session, socket, arrive, tick, sent } = createSession(undefined, limits.connect('a'))
  session.authenticated(ann, 'sid', Infinity)
  const count = (code: string): number => sent().match(new RegExp(`"${code}"`, 'g'))?.length ?? 0
  arrive(...Array.from({ length: 10 + 200 }, () => heartbeat))
  t.equal(count('success'), 10)
  t.equal(count('rate_limited'), 128)
  t.same(socket.calls, ['pause'])
  tick(now.real = 1000)
  t.equal(count('success') + count('rate_limited'), 210, 'every frame gets its reply')
  t.same(socket.calls, ['pause', 'resume'])
})

t.test('a connection that is not read because of its refusals is not closed for a pong that could not be read', async t => {
  const now = { real: 0 }
  const limits = createLimits({ ...loadConfig({}).config.limits, connection_frames: 1 }, () => now.real)
  const { session, arrive, tick, sent } = createSession(undefined, limits.connect('a'))
  const step = (time: number): void => {
    sent()
    limits.sweep()
    tick(now.real = time)
  }
  session.authenticated(ann, 'sid', Infinity)
  step(30_000)
  for (let time = 31_000; time < 60_000; time += 1000) {
    arrive(...Array.from({ length: 200 }, () => heartbeat))
    step(time)
  }
  t.notOk(session.closing)
  for (let time = 60_000; time <= 150_000; time += 1000) step(time)
  t.ok(session.closing, 'the pong is expected again once everything is read')
})

t.test('[P53] one pong for each ping of the server counts towards no limit, and any other pong does', async t => {
  const limits = createLimits({ ...loadConfig({}).config.limits, connection_frames: 1 }, () => 0)
  const { session, tick } = createSession(undefined, limits.connect('a'))
  const pong = { opcode: 0xa, isFinal: true, length: 4, messageLength: 4 }
  session.authenticated(ann, 'sid', Infinity)
  for (let i = 0; i < 10; i++) t.equal(session.inbox.admit(pong), PASS)
  tick(30_000)
  t.equal(session.inbox.admit(pong), PASS, 'the limit is reached, but this pong answers a ping')
  t.equal(session.inbox.admit(pong), WAIT)
})

t.test('[P53] large frames are parsed one connection after the other, with other work in between', async t => {
  const frame = Buffer.from(`{"type":"channel_list","x":[${'[],'.repeat(21_000)}[]]}`)
  const order: number[] = []
  const sessions = Array.from({ length: 40 }, (_, i) => createSession(() => {
    order.push(i)
    return { frame: { type: 'success' } }
  }))
  for (const { arrive } of sessions) arrive(frame, frame)
  t.same(order, [], 'no large frame is parsed in the event loop turn in which it arrives')
  const small = createSession()
  small.arrive(heartbeat)
  t.match(small.sent(), /success/, 'a small frame is answered at once')
  let turns = 0
  while (order.length < 80 && turns < 10_000) {
    await new Promise(resolve => setImmediate(resolve))
    turns++
  }
  t.ok(turns >= 3, `parsing takes ${turns} event loop turns`)
  t.same(order, [...sessions.keys(), ...sessions.keys()], 'the first frame of every connection comes before the second of any')
})

t.test('[P53] waiting requests of all connections together take at most max_inbox bytes, and small frames find room', async t => {
  const budget = new InboxBudget(100_000)
  const never = (): Promise<Reply> => new Promise(() => {})
  const frame = Buffer.alloc(1000, '{"type":"channel_list"}'.padEnd(1000))
  const sessions = Array.from({ length: 200 }, () => createSession(never, null, budget))
  for (const { arrive } of sessions) arrive(...Array.from({ length: 60 }, () => frame))
  t.ok(budget.used > 90_000 && budget.used <= 100_000, `${budget.used} bytes wait`)
  t.ok(sessions.every(({ socket }) => socket.calls.at(-1) === 'pause'))
  const late = createSession(never, null, budget)
  late.arrive(heartbeat, heartbeat)
  t.same(late.socket.calls, [], 'small frames of a connection that holds nothing are read')
  for (const { session } of sessions.slice(0, -1)) session.close('session_revoked')
  const last = sessions.at(-1)!
  last.tick(1000)
  t.ok(last.socket.calls.includes('resume'), 'a connection that had to wait is read again once there is room')
  for (const { session } of [...sessions, late]) session.ended()
  t.equal(budget.used, 0)
})

t.test('[P53] a hundred connections that hold as much as they can leave room for others', async t => {
  const budget = new InboxBudget(64 * 1_048_576)
  const owns = Array.from({ length: 100 }, () => {
    let own = 0
    for (; budget.hasRoom(own, 65_536); own += 65_536) budget.add(65_536)
    return own
  })
  t.ok(owns.every(own => own >= 65_536))
  t.ok(budget.used < 0.8 * 64 * 1_048_576, `${budget.used} bytes`)
})

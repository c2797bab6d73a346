import { loadConfig } from '../../src/config.ts'
import { AppError } from '../../src/errors.ts'
import { PASS, WAIT } from '../../src/connections/frame-reader.ts'
import { InboxBudget } from '../../src/connections/inbox-budget.ts'
import { createLimits } from '../../src/connections/limits.ts'
import type { Reply } from '../../src/connections/reply.ts'
import { t } from '../tap.ts'
import { ann, createSession, heartbeat, send } from './session.ts'

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

import { Backlog, createOutboundMemory } from '../../src/connections/backlog.ts'
import { countFrames, encode } from '../../src/connections/frames.ts'
import { Outbox } from '../../src/connections/outbox.ts'
import type { Transport } from '../../src/connections/transport.ts'
import { t } from '../tap.ts'

const limits = { maxBuffered: 1_048_576, pongTimeout: 10_000, heartbeatInterval: 30_000 }
const MEGABYTE = 1_048_576

/** A frame of this many bytes. */
function frame (size: number): Buffer {
  const empty = encode({ text: 'x'.repeat(size) }).length - size
  return encode({ text: 'x'.repeat(size - empty) })
}

/** An outbox with a simulated clock and socket. The socket takes `window` bytes at once and further bytes when `take` is called. */
function createOutbox ({ window = Infinity }: { window?: number } = {}) {
  const clock = { now: 0 }
  const memory = createOutboundMemory(Infinity)
  const socket = {
    window,
    buffered: 0,
    sent: [] as Array<Buffer | number>,
    untaken: [] as Array<{ left: number, onTaken: (() => void) | undefined }>,
    drained: 0
  }
  const transport: Transport = {
    get buffered () { return socket.buffered },
    address: '127.0.0.1',
    bytesReceived: 0,
    bytesSent: 0,
    write: (frames, onTaken) => {
      socket.sent.push(frames)
      const now = Math.min(socket.window, frames.length)
      socket.window -= now
      socket.buffered += frames.length - now
      socket.untaken.push({ left: frames.length - now, onTaken })
    },
    cork: () => {},
    uncork: () => {},
    ping: number => { socket.sent.push(number) },
    pause: () => {},
    resume: () => {},
    close: () => {},
    terminate: () => {}
  }
  const outbox = new Outbox(transport, { now: () => clock.now, memory, limits }, { drained: () => { socket.drained++ } })
  return {
    outbox,
    clock,
    memory,
    socket,
    put: (...frames: Buffer[]): void => {
      for (const one of frames) outbox.push(one)
      outbox.flush()
    },
    /** Lets the socket take this many more bytes. */
    take (bytes: number): void {
      socket.window += bytes
      while (socket.untaken.length > 0) {
        const first = socket.untaken[0]!
        const now = Math.min(first.left, socket.window)
        socket.window -= now
        socket.buffered -= now
        first.left -= now
        if (first.left > 0) return
        socket.untaken.shift()
        first.onTaken?.()
      }
    },
    /** Sizes of the writes so far, with null for each ping. */
    sizes: () => socket.sent.map(item => typeof item === 'number' ? null : item.length),
    written: () => Buffer.concat(socket.sent.filter(item => typeof item !== 'number')),
    pings: () => socket.sent.filter(item => typeof item === 'number')
  }
}

t.test('a socket that keeps up gets all frames of one event loop turn in one write', async t => {
  const { outbox, put, sizes, memory } = createOutbox()
  put(frame(100), frame(200))
  put(frame(1000))
  t.same(sizes(), [300, 1000])
  t.equal(outbox.backlog, null)
  t.equal(memory.bytes, 0)
})

t.test('[P52] a large amount leaves in slices of whole frames, each after the socket has taken the slice before', async t => {
  const { outbox, put, take, sizes, written, socket } = createOutbox({ window: 0 })
  const frames = Array.from({ length: 20 }, () => frame(15_000))
  put(Buffer.concat(frames))
  put(frame(70_000), frame(100))
  t.same(sizes(), [60_000])
  t.equal(outbox.waiting, 370_100)
  for (let i = 0; i < 100 && outbox.waiting > 0; i++) take(10_000)
  t.same(sizes().filter(size => size !== null), [60_000, 60_000, 60_000, 60_000, 60_000, 70_000, 100])
  t.ok(written().equals(Buffer.concat([...frames, frame(70_000), frame(100)])))
  t.equal(outbox.backlog, null)
  t.equal(socket.drained, 7)
  put(frame(50))
  t.equal(sizes().at(-1), 50)
})

t.test('[P52] a socket that keeps taking bytes is not slow, however much is sent at once', async t => {
  const { outbox, put, take, clock } = createOutbox({ window: 0 })
  put(Buffer.concat(Array.from({ length: 1000 }, () => frame(15_000))))
  for (; outbox.waiting > 0; clock.now += 1000) {
    t.notOk(outbox.isSlow())
    take(5 * MEGABYTE)
  }
  t.equal(clock.now, 3000)
})

t.test('[P52] a socket that takes nothing for 5 s while more than max_buffered waits is slow', async t => {
  const { outbox, put, take, clock } = createOutbox({ window: 0 })
  put(frame(MEGABYTE))
  clock.now = 60_000
  t.notOk(outbox.isSlow(), 'up to max_buffered bytes may wait for any time')
  put(frame(65_000))
  t.ok(outbox.isSlow())
  take(MEGABYTE)
  put(frame(MEGABYTE), frame(MEGABYTE))
  clock.now = 64_999
  t.notOk(outbox.isSlow(), 'the socket has taken something within the last 5 s')
  clock.now = 65_000
  t.ok(outbox.isSlow())
})

t.test('[P52] beyond 16 times max_buffered a socket is slow after 1 s without progress, and after 5 s in any case', async t => {
  const much = Buffer.concat(Array.from({ length: 17 }, () => frame(MEGABYTE)))
  const idle = createOutbox({ window: 0 })
  idle.put(much)
  idle.clock.now = 999
  t.notOk(idle.outbox.isSlow())
  idle.clock.now = 1000
  t.ok(idle.outbox.isSlow())

  const behind = createOutbox({ window: 0 })
  behind.put(much)
  for (; behind.clock.now < 5000; behind.clock.now += 500) {
    t.notOk(behind.outbox.isSlow())
    behind.take(MEGABYTE)
    behind.put(frame(MEGABYTE))
  }
  t.ok(behind.outbox.isSlow())
})

t.test('before a close, up to max_buffered waiting bytes are handed to the socket, and a larger backlog is dropped', async t => {
  const few = createOutbox({ window: 0 })
  few.put(frame(90_000), frame(90_000), frame(90_000))
  few.outbox.push(frame(100))
  few.outbox.finish()
  t.equal(few.written().length, 270_100)
  t.equal(few.memory.bytes, 0)
  const many = createOutbox({ window: 0 })
  many.put(...Array.from({ length: 20 }, () => frame(60_000)))
  many.outbox.finish()
  t.equal(countFrames(many.written()), 1)
  t.equal(many.memory.bytes, 0)
  many.take(60_000)
  t.equal(countFrames(many.written()), 1)
})

t.test('a ping waits pong_timeout for its pong, and pongs for unsent or answered pings have no effect', async t => {
  const { outbox, clock, pings } = createOutbox()
  outbox.pong(7)
  t.notOk(outbox.awaitsPong)
  outbox.ping()
  outbox.ping()
  t.same(pings(), [1, 2])
  clock.now = 9_999
  outbox.pong(3)
  t.notOk(outbox.isSilent())
  clock.now = 10_000
  t.ok(outbox.isSilent())
  outbox.pong(1)
  t.notOk(outbox.isSilent(), 'the peer has read up to the first ping')
  t.ok(outbox.awaitsPong)
  clock.now = 15_000
  outbox.pong(1)
  clock.now = 20_000
  t.ok(outbox.isSilent())
  outbox.pong()
  t.notOk(outbox.awaitsPong)
})

t.test('[P53] each unanswered ping exempts one pong from the limits, and an answered ping exempts none', async t => {
  const { outbox } = createOutbox()
  t.notOk(outbox.takePong(), 'no ping was sent')
  for (let i = 0; i < 3; i++) outbox.ping()
  // When pongs arrive in one segment, all of them are judged before the first one is read.
  t.same([1, 2, 3, 4].map(() => outbox.takePong()), [true, true, true, false])
  for (const number of [1, 2, 3]) outbox.pong(number)
  for (let i = 0; i < 3; i++) outbox.ping()
  t.ok(outbox.takePong())
  outbox.pong(5)
  t.same([1, 2].map(() => outbox.takePong()), [true, false], 'a pong also answers the pings before its own')
})

t.test('[P52] pings are sent among large amounts of data, so that a client on a slow line shows that it reads', async t => {
  const { outbox, clock, put, pings } = createOutbox()
  // The line carries 25 KB a second, and the client reads each frame 8 s after it was written.
  for (let i = 0; i < 20; i++, clock.now += 2000) {
    put(frame(50_000))
    t.notOk(outbox.isSilent())
    outbox.pong(pings().length - 2)
  }
  t.equal(pings().length, 10)
})

t.test('[P52] a ping behind a long frame may take as long as that frame takes on a line of 16 KB a second', async t => {
  const { outbox, clock, put, sizes } = createOutbox()
  put(frame(1000))
  put(frame(425_536))
  t.same(sizes(), [1000, null, 425_536, null])
  clock.now = 10_000
  outbox.pong(1)
  clock.now = 42_499
  t.notOk(outbox.isSilent())
  clock.now = 42_500
  t.ok(outbox.isSilent())
})

t.test('[P52] no ping may take longer than pong_timeout plus heartbeat_interval', async t => {
  const { outbox, clock, put } = createOutbox()
  put(frame(10 * MEGABYTE))
  clock.now = 40_000
  t.ok(outbox.isSilent())
})

t.test('[P52] a buffer that several connections hold counts once, and untilRoom resolves when there is room again', async t => {
  const memory = createOutboundMemory(150)
  const [a, b] = [new Backlog(memory, 0), new Backlog(memory, 0)]
  const shared = frame(100)
  a.push(shared)
  b.push(shared)
  t.equal(memory.bytes, 100)
  t.notOk(memory.isFull)
  await memory.untilRoom(10_000)
  b.push(frame(100))
  t.ok(memory.isFull)
  const room = memory.untilRoom(10_000)
  b.clear()
  await room
  t.equal(memory.bytes, 100)
  t.ok(a.take(1)!.equals(shared))
  t.equal(memory.bytes, 0)
  t.equal(a.take(1), undefined)
})

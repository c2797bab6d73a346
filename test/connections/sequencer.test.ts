import type { EntriesEvent } from '../../src/broker/broker.ts'
import { encodeEntries } from '../../src/connections/frames.ts'
import { after } from '../../src/connections/runs.ts'
import { Sequencer } from '../../src/connections/sequencer.ts'
import type { Entry } from '../../src/schemas/message.ts'
import { eventually } from '../eventually.ts'
import { t, type Test } from '../tap.ts'

const entry = (seq: number): Entry => ({
  type: 'message', id: `m${seq}`, seq, channel: 'general', user_id: 'u1', username: 'ann', message: `text ${seq}`, timestamp: 'now'
})
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const run = (from: number, to = from): EntriesEvent => ({ kind: 'entries', firstSeq: from, ...encodeEntries(numbers(from, to).map(entry)) })

/** The `seq` of each entry, as a client reads it from the frames. Throws if `frames`, `ends` and `firstSeq` disagree. */
function seqsIn ({ frames, ends, firstSeq }: EntriesEvent): number[] {
  const seqs = [...frames.toString('latin1').matchAll(/"seq":(\d+)/g)].map(match => Number(match[1]))
  if (seqs.length !== ends.length || seqs[0] !== firstSeq || ends.at(-1) !== frames.length) throw new Error('frames and ends disagree')
  return seqs
}

/** The most entries that one read of the database returns. */
const READ_LIMIT = 500

/** A sequencer that has delivered up to `last`, over a simulated database with the entries `stored`. */
function start (t: Test, last: number, stored: number[] = []) {
  const delivered: number[] = []
  const reads: Array<[after: number, upTo: number]> = []
  const faults: unknown[] = []
  const returns: number[] = []
  const doubts = { count: 0 }
  const gaps = { found: 0, repaired: 0 }
  const database = { stored, hasRoom: true, inFlight: new Set<string>(), gate: async (): Promise<void> => {} }
  const sequencer = new Sequencer('c1', last, {
    deliver: event => { delivered.push(...seqsIn(event)) },
    messages: {
      missing: async (_, after, upTo) => {
        reads.push([after, upTo])
        const found = database.stored.filter(seq => seq > after && seq <= upTo).slice(0, READ_LIMIT).map(entry)
        await database.gate()
        return found
      },
      isInFlight: id => database.inFlight.has(id)
    },
    hasRoom: () => database.hasRoom,
    onFault: error => { faults.push(error) },
    onDoubt: () => { doubts.count++ },
    maxUnvouched: 100_000,
    onReturn: committed => { returns.push(committed) },
    gaps
  })
  t.teardown(() => sequencer.close())
  const until = (seq: number): Promise<true> => eventually(() => sequencer.last === seq)
  return { sequencer, delivered, reads, faults, returns, doubts, gaps, database, until }
}

t.test('[P27] entries are delivered in order and once each, even if their runs overlap', async t => {
  const { sequencer, delivered, reads } = start(t, 0)
  sequencer.accept(run(1, 3))
  sequencer.accept(run(2, 3))
  sequencer.accept(run(1))
  sequencer.accept(run(2, 5))
  sequencer.accept(run(6))
  t.same(delivered, numbers(1, 6))
  t.same(reads, [])
})

t.test('[P27] a run that comes too early waits for the missing entries, and then follows at once', async t => {
  const { sequencer, delivered, reads } = start(t, 10)
  sequencer.accept(run(15, 16))
  sequencer.accept(run(12, 13))
  sequencer.accept(run(13, 15))
  t.same(delivered, [])
  sequencer.accept(run(11))
  t.same(delivered, numbers(11, 16))
  t.same(reads, [])
})

t.test('[P33] entries that stay missing are read from the database, and no others', async t => {
  const { sequencer, delivered, reads, until } = start(t, 10, numbers(11, 13))
  sequencer.accept(run(14, 15))
  await until(15)
  t.same(delivered, numbers(11, 15))
  t.same(reads, [[10, 13]])
})

t.test('[P33] the database is not read while entries keep arriving: an early entry waits its full time for those before it', async t => {
  const { sequencer, delivered, reads, until } = start(t, 10, [13])
  const moments: Array<() => void> = []
  const { restore } = t.capture(globalThis, 'setTimeout', ((end: () => void) => moments.push(end)) as never)
  sequencer.accept(run(12))
  sequencer.accept(run(11))
  sequencer.accept(run(14))
  moments.shift()!()
  t.same(reads, [])
  restore()
  moments.shift()!()
  await until(14)
  t.same(reads, [[12, 13]])
  t.same(delivered, numbers(11, 14))
})

t.test('[P33] the sequencer catches up with a higher last_seq of the database, in several reads if it is far ahead', async t => {
  const { sequencer, delivered, reads, until } = start(t, 0, numbers(1, 1200))
  sequencer.catchUp(1200)
  sequencer.catchUp(1200)
  await until(1200)
  t.same(delivered, numbers(1, 1200))
  t.equal(reads.length, 3)
})

t.test('entries that the bus brings while the database is read are neither doubled nor lost', async t => {
  const { sequencer, delivered, database, until } = start(t, 0, numbers(1, 4))
  let release: () => void = () => {}
  database.gate = () => new Promise(resolve => { release = resolve })
  sequencer.catchUp(4)
  sequencer.accept(run(1, 2))
  sequencer.accept(run(6))
  database.stored = numbers(1, 6)
  database.gate = async () => {}
  release()
  await until(6)
  t.same(delivered, numbers(1, 6))
})

t.test('[P26] a message that is not acked yet is delivered by its own batch, not by a read of the database', async t => {
  const { sequencer, delivered, database, reads } = start(t, 0, numbers(1, 3))
  database.inFlight.add('m2')
  sequencer.catchUp(3)
  await eventually(() => delivered.length === 1)
  t.same(delivered, [1])
  database.inFlight.clear()
  sequencer.accept(run(2, 3))
  t.same(delivered, numbers(1, 3))
  t.equal(reads.length, 1)
})

t.test('pruned entries are skipped', async t => {
  const { sequencer, delivered, until } = start(t, 0, [3, 4, 7])
  sequencer.catchUp(9)
  await until(9)
  t.same(delivered, [3, 4, 7])
  sequencer.accept(run(10))
  t.same(delivered, [3, 4, 7, 10])
})

t.test('a failed read is reported once, and the next check tries again', async t => {
  const { sequencer, delivered, database, faults, gaps, until } = start(t, 0, numbers(1, 2))
  database.gate = async () => { throw new Error('away') }
  sequencer.catchUp(2)
  await eventually(() => faults.length === 1)
  t.same(delivered, [])
  t.same(gaps, { found: 1, repaired: 0 })
  database.gate = async () => {}
  sequencer.catchUp(2)
  await until(2)
  t.same(delivered, [1, 2])
  await eventually(() => gaps.repaired === 1)
  t.same(gaps, { found: 1, repaired: 1 })
})

t.test('a gap is counted once as found and, however it is filled, once as repaired', async t => {
  const { sequencer, database, faults, gaps, until } = start(t, 0, numbers(1, 3))
  sequencer.accept(run(1))
  sequencer.accept(run(3))
  sequencer.accept(run(2))
  t.same(gaps, { found: 0, repaired: 0 }, 'entries that only arrive in another order are no gap')
  database.stored = numbers(1, 6)
  database.inFlight = new Set(['m5'])
  sequencer.catchUp(6)
  await until(4)
  t.same(gaps, { found: 1, repaired: 0 })
  sequencer.accept(run(5, 6))
  t.same(gaps, { found: 1, repaired: 1 })
  database.inFlight = new Set(['m7'])
  database.stored = numbers(7, 7)
  sequencer.catchUp(7)
  sequencer.accept(run(7))
  t.same(gaps, { found: 1, repaired: 1 }, 'a message that is not acked yet is no gap')
  database.gate = async () => { throw new Error('away') }
  sequencer.catchUp(8)
  await eventually(() => faults.length === 1)
  sequencer.close()
  t.same(gaps, { found: 2, repaired: 2 }, 'a gap of a closed channel counts as repaired')
})

t.test('[P52] nothing is delivered while outbound memory is full, and everything once there is room', async t => {
  const { sequencer, delivered, database, until } = start(t, 0, numbers(1, 5))
  database.hasRoom = false
  sequencer.accept(run(1, 2))
  sequencer.catchUp(4)
  t.same(delivered, [])
  database.hasRoom = true
  sequencer.accept(run(5))
  await until(5)
  t.same(delivered, numbers(1, 5))
})

t.test('early runs beyond the number that may wait are not lost', async t => {
  const { sequencer, delivered, until } = start(t, 0, numbers(1, 400))
  for (let seq = 399; seq >= 3; seq -= 2) sequencer.accept(run(seq))
  sequencer.accept(run(400))
  await until(400)
  t.same(delivered, numbers(1, 400))
})

t.test('a closed sequencer reads and delivers nothing', async t => {
  const { sequencer, delivered, reads, database } = start(t, 0, numbers(1, 3))
  let release: () => void = () => {}
  database.gate = () => new Promise(resolve => { release = resolve })
  sequencer.accept(run(3))
  sequencer.close()
  sequencer.catchUp(0)
  release()
  t.same(delivered, [])
  t.same(reads, [])
})

t.test('a run is cut after any entry without a copy of its bytes', async t => {
  const whole = run(5, 8)
  for (const last of [0, 4, 5, 6, 7]) t.same(seqsIn(after(whole, last)), numbers(Math.max(5, last + 1), 8))
  t.equal(after(whole, 4), whole)
  t.equal(after(whole, 6).frames.buffer, whole.frames.buffer)
})

/** A run that came over the bus and that the database has not confirmed. */
const hint = (from: number, to = from): EntriesEvent => ({ ...run(from, to), isHint: true })
function falseHint (from: number, to = from): EntriesEvent {
  const entries = numbers(from, to).map(seq => ({ ...entry(seq), id: `false ${seq}` }))
  return { kind: 'entries', firstSeq: from, ...encodeEntries(entries), isHint: true }
}

/** Tells the sequencer the database's `lastSeq`, as the reconciler does after `onDoubt`. */
function look ({ sequencer, database }: Pick<ReturnType<typeof start>, 'sequencer' | 'database'>): void {
  const { claimed } = sequencer
  sequencer.catchUp(Math.max(0, ...database.stored), claimed)
}

t.test('[P60] a true entry that comes after a false one with its seq is delivered once, and so are those that follow', async t => {
  const { sequencer, delivered, doubts, returns, database, until } = start(t, 0, [1])
  sequencer.accept(run(1))
  sequencer.accept(hint(2))
  sequencer.accept(falseHint(3, 4))
  t.same(delivered, [1, 2, 3, 4])
  database.stored = numbers(1, 5)
  sequencer.accept(hint(3))
  sequencer.accept(hint(4, 5))
  t.equal(doubts.count, 1)
  t.same(delivered, [1, 2, 3, 4], 'no later entry is delivered before the database is asked')
  look({ sequencer, database })
  await until(5)
  t.same(returns, [5])
  t.same(delivered, [1, 2, 3, 4, 3, 4, 5])
})

t.test('[P60] a false entry beyond the last stored one is revoked before a true one comes', async t => {
  const { sequencer, delivered, returns, database } = start(t, 7, numbers(1, 7))
  sequencer.accept(falseHint(8, 9))
  look({ sequencer, database })
  t.same(returns, [7])
  t.equal(sequencer.last, 7)
  sequencer.accept(run(8, 9))
  t.same(delivered, [8, 9, 8, 9])
})

t.test('[P60] a false entry with a seq far ahead is not delivered, and entries stored later are delivered', async t => {
  const { sequencer, delivered, doubts, database, until } = start(t, 2, numbers(1, 2))
  sequencer.accept(falseHint(2 ** 50))
  await eventually(() => doubts.count === 1)
  t.equal(sequencer.last, 2)
  look({ sequencer, database })
  database.stored = numbers(1, 4)
  sequencer.accept(run(3))
  look({ sequencer, database })
  await until(4)
  t.same(delivered, [3, 4])
})

t.test('[P60] after a false entry, entries of the bus are not delivered but read from the database', async t => {
  const { sequencer, delivered, doubts, database, until } = start(t, 0)
  sequencer.accept(falseHint(1))
  look({ sequencer, database })
  sequencer.accept(falseHint(1))
  sequencer.accept(hint(1, 2))
  t.same(delivered, [1], 'only the first false entry was delivered')
  t.equal(doubts.count, 1)
  database.stored = numbers(1, 2)
  look({ sequencer, database })
  await until(2)
  t.same(delivered, [1, 1, 2])
  sequencer.accept(run(3))
  t.same(delivered, [1, 1, 2, 3], 'entries that this instance commits need no confirmation')
})

t.test('[P60] an entry that comes while false entries are revoked is not delivered twice', async t => {
  const { sequencer, delivered, database, until } = start(t, 0, [1])
  sequencer.accept(hint(1))
  sequencer.accept(falseHint(1))
  const { claimed } = sequencer
  database.stored = numbers(1, 2)
  sequencer.accept(run(2))
  t.same(delivered, [1])
  sequencer.catchUp(1, claimed)
  await until(2)
  t.same(delivered, [1, 2])
})

t.test('[P60] a false entry that comes while the database is read is detected by the result of the read', async t => {
  const { sequencer, delivered, doubts, database, until } = start(t, 0, numbers(1, 3))
  let release: () => void = () => {}
  database.gate = () => new Promise(resolve => { release = resolve })
  sequencer.catchUp(3)
  sequencer.accept(falseHint(1, 2))
  t.same(delivered, [1, 2])
  database.gate = async () => {}
  release()
  await eventually(() => doubts.count === 1)
  t.equal(sequencer.last, 2, 'no entry is skipped meanwhile')
  await eventually(() => {
    look({ sequencer, database })
    return sequencer.last === 3
  })
  await until(3)
  t.same(delivered, [1, 2, 1, 2, 3])
})

t.test('[P60] the bus may bring a bounded amount before the database is asked, and the rest is read from there', async t => {
  const { sequencer, delivered, doubts, database, until } = start(t, 0, numbers(1, 2000))
  for (let seq = 1; seq <= 2000; seq++) sequencer.accept(hint(seq))
  t.equal(doubts.count, 1)
  t.ok(sequencer.last > 100 && sequencer.last < 1500, `delivered up to ${sequencer.last}`)
  look({ sequencer, database })
  await until(2000)
  t.same(delivered, numbers(1, 2000))
})

t.test('[P52] [P60] a true entry reveals a false one even while outbound memory is full', async t => {
  const { sequencer, delivered, doubts, database, until } = start(t, 0, [1])
  sequencer.accept(falseHint(1))
  database.hasRoom = false
  sequencer.accept(hint(1))
  t.equal(doubts.count, 1)
  database.hasRoom = true
  look({ sequencer, database })
  await until(1)
  await eventually(() => delivered.length === 2)
})

t.test('[P52] [P60] entries that came while outbound memory was full are read from the database, whatever the bus says', async t => {
  const { sequencer, doubts, reads, database, until } = start(t, 0, numbers(1, 3))
  database.hasRoom = false
  sequencer.accept(hint(1, 2))
  database.hasRoom = true
  sequencer.accept(falseHint(1, 3))
  t.equal(sequencer.last, 0)
  await until(3)
  t.same(reads, [[0, 3]])
  sequencer.accept(hint(1, 3))
  t.equal(doubts.count, 0, 'the true entries were delivered')
})

import { after } from '../../src/connections/runs.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { numbers, run, seqsIn, start } from './sequencer.ts'

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

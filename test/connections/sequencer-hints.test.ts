import type { EntriesEvent } from '../../src/broker/broker.ts'
import { encodeEntries } from '../../src/connections/frames.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { entry, numbers, run, start } from './sequencer.ts'

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

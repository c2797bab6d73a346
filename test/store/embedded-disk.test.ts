import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openEngine } from '../../src/store/engine.ts'
import { createDataDirectory } from '../embedded.ts'
import { eventually } from '../eventually.ts'
import { fillDisk, mountDisk } from '../faults/disk.ts'
import { t, type Test } from '../tap.ts'

/** Opens an embedded database on a small disk of its own, with a counter. Undefined where no file system may be mounted. */
async function open (t: Test) {
  const disk = mountDisk(t, 120)
  if (disk === undefined) return undefined
  const lines: string[] = []
  const log = (_: unknown, line?: string): void => { lines.push(line!) }
  const engine = await openEngine(await createDataDirectory(t, disk), false, { info: log, warn: log, error: log })
  t.teardown(() => engine.close())
  await engine.exec('CREATE TABLE counter AS SELECT 0 AS count')
  const filler = join(disk, 'filler')
  return {
    lines,
    engine,
    fill: () => fillDisk(filler),
    empty: () => rmSync(filler),
    set: (count: number) => engine.query('UPDATE counter SET count = $1', [count]),
    count: async () => (await engine.query<{ count: number }>('SELECT count FROM counter')).rows[0]!.count
  }
}

/** The expected log: one line when the disk is full, and one when it has room again. */
const story = [
  'the disk of the embedded database is full: nothing is stored until there is room', 'the disk of the embedded database has room again'
]

t.test('on a full disk reads work, writes are refused and one line is logged; writes work again once there is room', async t => {
  const database = await open(t)
  if (!database) return t.pass('no file system may be mounted here')
  await database.set(1)
  database.fill()
  for (let i = 0; i < 50; i++) await t.rejects(database.set(2), { code: '25006' })
  t.equal(await database.count(), 1)
  t.ok(database.engine.full)
  t.same(database.lines, story.slice(0, 1))
  database.empty()
  await eventually(() => database.set(3).then(() => true, () => false))
  t.equal(await database.count(), 3)
  t.notOk(database.engine.full)
  t.same(database.lines, story)
})

t.test('an engine that panics on a full disk blocks no call and is reopened with everything that it had committed', async t => {
  const database = await open(t)
  if (!database) return t.pass('no file system may be mounted here')
  for (let round = 1; round <= 2; round++) {
    await database.set(round)
    // The disk fills up during a transaction that only writes to the write-ahead log, so the next log file cannot be created.
    await t.rejects(database.engine.transaction(async tx => {
      database.fill()
      for (;;) await tx.query("SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000))")
    }), { code: '57P03' }, 'the engine is given up')
    for (let i = 0; i < 20; i++) await database.count().catch(() => {})
    t.same(database.lines.length, 2 * round - 1, 'one line')
    database.empty()
    await eventually(() => database.count().then(count => count === round && !database.engine.full, () => false), 30_000)
    t.same(database.lines.length, 2 * round)
  }
})

t.test('on a full disk the database is not opened, and the error says how much room it needs', async t => {
  const disk = mountDisk(t, 16)
  if (disk === undefined) return t.pass('no file system may be mounted here')
  await t.rejects(openEngine(disk, false), { message: 'the disk is full: 20 MiB have to be free' })
})

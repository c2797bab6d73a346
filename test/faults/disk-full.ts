import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster } from './cluster.ts'
import { fillDisk, mountDisk } from './disk.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import type { Stage } from './scope.ts'

/** Megabytes. A fresh PostgreSQL takes about 80. */
const DISK_SIZE = 256

/**
 * The disk of PostgreSQL is full for `seconds`: sends are answered `unavailable`, no message is acked without being stored,
 * connections stay open, and service resumes by itself when there is room again.
 */
export async function diskFull (stage: Stage, { rate, seconds }: { rate: number, seconds: number }): Promise<Outcome> {
  const report = createReport()
  const disk = mountDisk(stage, DISK_SIZE)
  if (disk === undefined) return { ...report.outcome(), skipped: 'mounting a file system is not permitted here' }
  const database = await startOwnDatabase(stage, { base: disk })
  const cluster = await startCluster(stage, report, { databaseUrl: database.url })
  const { ledger } = cluster
  const channels = ['one', 'two']
  const clients = await cluster.enter(4, channels)

  // Eight such messages fill a page, so the pages that the table already has are soon full.
  const load = startLoad(ledger, { writers: clients, channels, rate, text: 'x'.repeat(1000) })
  await sleep(1000)
  const filler = join(disk, 'filler')
  fillDisk(filler)
  await sleep(seconds * 1000)
  report.figure('unavailable', ledger.refusals.unavailable ?? 0)
  if (!ledger.refusals.unavailable) report.problem('the full disk was not noticed')
  rmSync(filler)
  const room = performance.now()
  const before = ledger.acked
  while ((await clients[0]!.send('one', 'room again')).code !== null) await sleep(50)
  report.atMost('resumed_after_ms', performance.now() - room, 10_000)
  await sleep(1000)
  await load.stop()
  await ledger.settle(clients, 10_000)

  report.atMost('slowest_answer_ms', ledger.slowest, 6000)
  report.equal('other_refusals', Object.entries(ledger.refusals).filter(([code]) => !['unavailable', 'busy'].includes(code)).length, 0)
  if (ledger.acked <= before) report.problem('nothing was acked once there was room')
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  return report.outcome()
}

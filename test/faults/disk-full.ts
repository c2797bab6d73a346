import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import type { Scope } from '../helper.ts'
import type { Stage } from './scope.ts'

/** Megabytes: a fresh PostgreSQL takes some 80. */
const DISK_SIZE = 256

/**
 * The disk of PostgreSQL is full for so many seconds: sends answer `unavailable`, nothing is acked that is not stored, connections
 * stay, and service resumes by itself when there is room again.
 */
export async function diskFull (stage: Stage, { rate, seconds }: { rate: number, seconds: number }): Promise<Outcome> {
  const report = createReport()
  const disk = mountDisk(stage)
  if (disk === undefined) return { ...report.outcome(), skipped: 'no file system may be mounted here' }
  const database = await startOwnDatabase(stage, { base: disk })
  const cluster = await startCluster(stage, report, { databaseUrl: database.url })
  const { ledger } = cluster
  const channels = ['one', 'two']
  const clients = await cluster.enter(4, channels)

  // Eight fill a page: there is soon no room in those that the table has.
  const load = startLoad(ledger, { writers: clients, channels, rate, text: 'x'.repeat(1000) })
  await sleep(1000)
  const filler = join(disk, 'filler')
  fill(filler)
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

/** A small file system of its own; undefined where that is not permitted. */
function mountDisk (scope: Scope): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'parley-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_SIZE}m,mode=755`, 'tmpfs', folder])
  scope.teardown(() => {
    if (status === 0) spawnSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  return status === 0 ? folder : undefined
}

/** Takes every block that is left. */
function fill (path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = 1 << 20; size >= 4096;) {
      try {
        writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size /= 2
      }
    }
  } finally {
    closeSync(file)
  }
}

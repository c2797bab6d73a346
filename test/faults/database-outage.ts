import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import type { Stage } from './scope.ts'

export interface DatabaseOutage { how: 'restarted' | 'stopped', seconds: number }

/**
 * G16. PostgreSQL restarts and is down for `seconds`, or is stopped for `seconds`, each outage in turn: sends are answered `unavailable`
 * within 6 s, no message is acked without being stored, connections stay open, and service resumes by itself.
 */
export async function databaseOutages (stage: Stage, { outages, rate }: { outages: DatabaseOutage[], rate: number }): Promise<Outcome> {
  const report = createReport()
  const database = await startOwnDatabase(stage)
  const cluster = await startCluster(stage, report, { databaseUrl: database.url })
  const { ledger } = cluster
  const channels = ['one', 'two']
  const clients = await cluster.enter(4, channels)

  const load = startLoad(ledger, { writers: clients, channels, rate })
  let slowestReturn = 0
  for (const { how, seconds } of outages) {
    await sleep(1000)
    const { acked, refusals: { unavailable = 0 } } = ledger
    if (how === 'restarted') {
      await database.restart(() => sleep(seconds * 1000))
    } else {
      database.signal('SIGSTOP')
      await sleep(seconds * 1000)
      database.signal('SIGCONT')
    }
    const backAt = performance.now()
    const probe = `probe-${randomUUID()}`
    while ((await clients[0]!.send('one', probe, probe)).code !== null) await sleep(50)
    slowestReturn = Math.max(slowestReturn, performance.now() - backAt)
    await sleep(1000)
    if ((ledger.refusals.unavailable ?? 0) === unavailable) report.problem(`${how}: the outage was not noticed`)
    await eventually(() => ledger.acked > acked).catch(() => report.problem(`${how}: nothing was acked after the outage`))
  }
  await load.stop()
  await ledger.settle(clients, 10_000)

  report.atMost('resumed_after_ms', slowestReturn, 10_000)
  report.atMost('slowest_answer_ms', ledger.slowest, 6000)
  report.equal('other_refusals', Object.entries(ledger.refusals).filter(([code]) => !['unavailable', 'busy'].includes(code)).length, 0)
  report.figure('unavailable', ledger.refusals.unavailable ?? 0)
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  return report.outcome()
}

import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage } from './scope.ts'
import { startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'

/** G2. A share of each instance's publications never reaches the other: every gap is repaired within 5 s. The load lasts `seconds`. */
export async function busLoss (stage: Stage, { share, rate, seconds }: { share: number, rate: number, seconds: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { faults: [{ drop: share, seed: 1 }, { drop: share, seed: 2 }] })
  const channels = ['one', 'two', 'three']
  const clients = await cluster.enter(4, channels)
  const load = startLoad(cluster.ledger, { writers: clients, channels, rate })
  await sleep(seconds * 1000)
  await load.stop()
  await cluster.ledger.settle(clients)
  report.atMost('lag_there_ms', report.read('lag_there_ms'), 5000)
  return report.outcome()
}

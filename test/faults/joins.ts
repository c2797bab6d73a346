import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { inParallel, startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { seedPeople } from './people.ts'
import type { Stage } from './scope.ts'

/** Number of live entries that a client waits for after its join before it disconnects. */
const ENOUGH = 20

/**
 * G3. Clients join while others send: the join reply and the live entries are one stream without a gap, whether a client joins without
 * history, with history, or disconnects and resumes [P30] [P31].
 */
export async function joins (stage: Stage, { count, rate }: { count: number, rate: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { env: { CHANNELS_MAX_USERS_PER_CHANNEL: '0' } })
  const { ledger, instances } = cluster
  const writers = await cluster.enter(4, ['room'])
  const load = startLoad(ledger, { writers, channels: ['room'], rate })
  const joiners = await inParallel(await seedPeople(cluster.databaseUrl, count), async (member, i) => {
    const { port } = instances[i % 2]!
    const joiner = await cluster.join(member, port, ['room'], i % 3 === 1 ? { history: 50 } : {})
    const seen = (): number => joiner.lastOf('room')
    const from = seen()
    await eventually(() => seen() >= from + ENOUGH)
    await joiner.drop()
    if (i % 3 === 2) {
      await sleep(100)
      await joiner.connect(port)
      const again = seen()
      await eventually(() => seen() >= again + ENOUGH)
      await joiner.drop()
    }
    return joiner
  }, 10)
  await load.stop()
  await ledger.settle(writers)
  await ledger.compare(joiners)
  report.equal('joins', joiners.length, count)
  return report.outcome()
}

import { setTimeout as sleep } from 'node:timers/promises'
import { reserveRedis } from '../contracts/redis-server.ts'
import type { Stage } from './scope.ts'
import { startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'

export interface RedisOutage {
  how: 'killed' | 'stopped' | 'absent at the start'
  /** Messages per second. */
  rate: number
  channels: number
  /** Seconds of load before, during and after the outage. */
  before: number
  outage: number
  after: number
}

/**
 * G1. Redis fails and comes back, empty if it was killed, while clients of two instances send: every message is acked, and every client
 * receives every message within 5 s of its ack [P33].
 */
export async function redisOutage (stage: Stage, { how, rate, channels: count, before, outage, after }: RedisOutage): Promise<Outcome> {
  const report = createReport()
  const redis = await reserveRedis(stage)
  if (how !== 'absent at the start') await redis.start()
  const cluster = await startCluster(stage, report, { redisUrl: redis.url })
  const { ledger } = cluster
  const channels = Array.from({ length: count }, (_, i) => `c${i}`)
  const clients = await cluster.enter(4, channels)

  const load = startLoad(ledger, { writers: clients, channels, rate })
  if (how !== 'absent at the start') {
    await sleep(before * 1000)
    if (how === 'killed') await redis.kill()
    else redis.signal('SIGSTOP')
  }
  await sleep(outage * 1000)
  if (how === 'stopped') redis.signal('SIGCONT')
  else await redis.start()
  await sleep(after * 1000)
  await load.stop()
  await ledger.settle(clients)

  report.atMost('lag_there_ms', report.read('lag_there_ms'), 5000)
  report.equal('refused', Object.values(ledger.refusals).reduce((sum, n) => sum + n, 0), 0)
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  if (how === 'killed') {
    const told = clients.filter(({ notices }) => ['degraded', 'restored'].every(type => notices.some(notice => notice.type === type)))
    report.equal('told_of_outage', told.length, clients.length)
  }
  return report.outcome()
}

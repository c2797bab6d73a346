import { setTimeout as sleep } from 'node:timers/promises'
import { startBlackhole } from '../blackhole.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { startReplication } from '../replication.ts'
import { startCluster } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Stage } from './scope.ts'

export interface RedisFault {
  /** Messages per second. */
  rate: number
  channels: number
  /** Seconds of load before the fault and after its beginning. */
  before: number
  after: number
}

/** Milliseconds that a message may take between instances while nothing is wrong, and until it is so again after Redis can be used. */
const PROMPT = 500
const RECOVERED = 15_000
/** Milliseconds of load after Redis can be used again. */
const LEAST_AFTER = 4000

/**
 * G19. Nine of the ten connections with which each instance publishes swallow everything and stay open, under load: they are replaced,
 * and messages between instances are prompt again within 15 s. Clients are told, and the ledger agrees [P33].
 */
export async function redisHalfOpen (stage: Stage, load: RedisFault): Promise<Outcome> {
  const redis = await startRedis(stage)
  const address = await startBlackhole(stage, redis.port)
  return underLoad(stage, `redis://127.0.0.1:${address.port}`, load, async () => {
    // The connection that also counts the other instances stays.
    const publishing = address.open.filter(({ said }) => said.includes('beat:') && !said.includes('subscribe'))
    for (const connection of publishing) if (!connection.said.includes('NUMSUB')) connection.swallow('both')
  })
}

/**
 * G19. Redis fails over under load: the old master lives on as a replica with all of its connections, and for `stale` seconds it is the
 * only one that the address leads to. Messages between instances are prompt again within 15 s. Clients are told, and the ledger agrees
 * [P33].
 */
export async function redisFailover (stage: Stage, { stale, ...load }: RedisFault & { stale: number }): Promise<Outcome> {
  const { url, address, second, failOver } = await startReplication(stage)
  return underLoad(stage, url, load, async () => {
    await failOver()
    await sleep(stale * 1000)
    address.leadTo(second.port)
  })
}

/**
 * Lets two instances carry messages while `fail` does something to their Redis. `prefix` is that of their keys and channels in Redis; by
 * default it is a random one.
 */
export async function underLoad (
  stage: Stage, redisUrl: string, { rate, channels: count, before, after }: RedisFault, fail: () => Promise<void>, prefix?: string
): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { redisUrl, ...prefix !== undefined && { env: { REDIS_PREFIX: prefix } } })
  const { ledger } = cluster
  const channels = Array.from({ length: count }, (_, i) => `c${i}`)
  const clients = await cluster.enter(4, channels)
  // Each channel is written to on one instance only. Otherwise the own messages of the other would show it what it has missed.
  const loads = cluster.instances.map(({ port }, i) => startLoad(ledger, {
    writers: clients.filter(client => client.port === port),
    channels: channels.filter((_, j) => j % cluster.instances.length === i),
    rate: rate / cluster.instances.length
  }))
  await sleep(before * 1000)
  const failed = performance.now()
  // The load has to end even if the fault cannot be brought about.
  await fail().catch((error: Error) => report.problem(error.message))
  const whole = performance.now()
  await sleep(Math.max(LEAST_AFTER, failed + after * 1000 - whole))
  const stopped = performance.now()
  await Promise.all(loads.map(load => load.stop()))
  await ledger.settle(clients)

  const crossings = clients.flatMap(client => ledger.crossingsOf(client))
  const slow = crossings.filter(({ acked, lag }) => acked > failed && lag >= PROMPT)
  const recovered = Math.max(failed, ...slow.map(({ acked }) => acked))
  const slowest = (from: number, to: number): number =>
    crossings.reduce((most, { acked, lag }) => acked > from && acked <= to ? Math.max(most, lag) : most, 0)
  if (recovered > stopped - 1000) report.problem('messages between instances are still slow at the end')
  report.figure('lag_before_ms', slowest(0, failed))
  report.atMost('lag_fault_ms', slowest(failed, recovered), 5000)
  report.figure('lag_after_ms', slowest(recovered, Infinity))
  report.atMost('prompt_again_ms', recovered - failed, whole - failed + RECOVERED)
  report.equal('refused', Object.values(ledger.refusals).reduce((sum, n) => sum + n, 0), 0)
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  const told = clients.filter(({ notices }) => ['degraded', 'restored'].every(type => notices.some(notice => notice.type === type)))
  report.equal('told_of_outage', told.length, clients.length)
  return report.outcome()
}

import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import { inParallel, startCluster, startProcesses } from './cluster.ts'
import { query } from './ledger.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { seedPeople } from './people.ts'
import type { Instance } from './process.ts'
import { openRecorder } from './recorder.ts'
import type { Stage } from './scope.ts'

/** Milliseconds after which every departure is processed. A departure waits up to a second, in case the user comes back. */
const SETTLED_MS = 3000

/** G11. All connections break at once: with full jitter all clients are authenticated and joined again within 30 s, and none is refused. */
export async function storm (stage: Stage, { clients: count, spread }: { clients: number, spread: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { env: { CHANNELS_MAX_USERS_PER_CHANNEL: '0' } })
  const channels = Array.from({ length: 20 }, (_, i) => `c${i}`)
  const { ledger, instances } = cluster
  const people = await seedPeople(cluster.databaseUrl, count)
  const clients = await inParallel(people, (member, i) => cluster.join(member, instances[i % 2]!.port, [channels[i % channels.length]!]))
  const [writer] = await cluster.enter(1, channels)
  const load = startLoad(ledger, { writers: [writer!], channels, rate: 50 })

  const began = performance.now()
  await Promise.all(clients.map(client => client.drop()))
  let failures = 0
  const returns = await Promise.all(clients.map(async client => {
    for (let attempt = 0; ; attempt++) {
      await sleep(Math.random() * Math.min(30_000, spread * 2 ** attempt))
      try {
        await client.connect(client.port)
        return performance.now() - began
      } catch {
        failures++
        await client.drop()
      }
    }
  }))
  await load.stop()
  await ledger.settle([writer!, ...clients])
  report.atMost('all_back_after_ms', Math.max(...returns), 30_000)
  report.equal('refused', failures, 0)
  const log = instances.map(instance => instance.output()).join('\n')
  report.equal('pool_timeouts', log.match(/timeout/gi)?.length ?? 0, 0)
  return report.outcome()
}

/** G14. After many connections have come, joined and gone, timers, sockets, bus subscriptions and memory are as before. */
export async function leaks (stage: Stage, { connections, warmUp }: { connections: number, warmUp: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startProcesses(stage, report, { faults: [{}], env: { CHANNELS_MAX_USERS_PER_CHANNEL: '0' } })
  const [server] = cluster.instances
  const people = await seedPeople(cluster.databaseUrl, 50)
  const comeAndGo = (count: number): Promise<unknown> => inParallel(Array.from({ length: count }, (_, i) => i), async i => {
    const client = await openRecorder({ teardown: () => {} }, server.port, people[i % people.length]!, [`c${i % 7}`])
    await client.drop()
  }, 50)

  await comeAndGo(warmUp)
  await sleep(SETTLED_MS)
  const before = await measure(server, cluster.databaseUrl)
  const began = performance.now()
  await comeAndGo(connections)
  report.figure('connections_per_s', connections / (performance.now() - began) * 1000)
  await sleep(SETTLED_MS)
  const after = await measure(server, cluster.databaseUrl)
  const grown = (after.heap - before.heap) / before.heap * 100
  report.figure('heap_before_mb', before.heap / 1_000_000)
  report.atMost('heap_grown_percent', grown, 10)
  report.equal('timers', after.timers - before.timers, 0)
  report.equal('sockets', after.sockets - before.sockets, 0)
  report.equal('topics', await cluster.topics(), 0)
  return report.outcome()
}

/** Measures a process without its database pool, where each connection is a socket and, while it idles for up to 10 s, a timer. */
async function measure (server: Instance, databaseUrl: string) {
  const countPooled = async (): Promise<number> => {
    const pooled = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'"
    return (await query(databaseUrl, pooled)).length
  }
  return eventually(async () => {
    const pooled = await countPooled()
    const { heap, resources } = await server.measure()
    // A connection of the pool may have opened or closed meanwhile.
    if (await countPooled() !== pooled) return false
    return { heap, timers: (resources.Timeout ?? 0) - pooled, sockets: (resources.TCPSocketWrap ?? 0) - pooled }
  })
}

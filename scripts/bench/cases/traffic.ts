import type { Bench, Column, Figures, Run } from '../case.ts'
import type { PublishPlan, PublishResult } from '../load/protocol.ts'
import { rssOf } from '../proc.ts'
import type { Contender, Server } from '../servers.ts'

/** How many connections are opened at the same time. */
export const CONCURRENCY = 128

export const whatEachDoes =
  'Parley authenticates everyone and stores every message on PostgreSQL before it delivers it; Socket.IO and ws do neither.'

export interface Traffic {
  contender: Contender
  row?: string
  subscribers: number
  channels: string[]
  publishers: number
  pace: PublishPlan['pace']
}

/** Measures all rows in each round, one after the other, so that other load on the machine affects all of them alike. */
export async function measureTraffic (bench: Bench, traffic: Traffic[], rounds = bench.timing.rounds): Promise<Run[]> {
  const runs: Run[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const one of traffic) {
      const row = one.row ?? one.contender.name
      const figures = await bench.withServer(one.contender, async (server, generator) => {
        const { contender: { dialect, authenticates, database }, ports, pids } = server
        const { subscribers: count, channels, publishers, pace } = one
        const tokensFile = authenticates ? bench.databases.tokensFile : null
        await generator.open({ dialect, ports, count, channels, concurrency: CONCURRENCY }, tokensFile)
        return toFigures(server, await generator.publish({
          publishers,
          pace,
          acked: authenticates,
          warmUp: bench.timing.warmUp,
          measure: bench.timing.measure,
          serverPids: pids,
          databasePid: database === 'postgresql' ? bench.databases.postgresPid : null
        }))
      })
      bench.progress(`${row}: ${Math.round(figures.deliveries_per_s!)} deliveries/s, ${Math.round(figures.messages_per_s!)} messages/s`)
      runs.push({ row, round, figures })
    }
  }
  return runs
}

function toFigures ({ pids }: Server, result: PublishResult): Figures {
  const { seconds, sent, acked, delivered, missing, latency, ackLatency, cpu, lag } = result
  if (missing > 0) throw new Error(`${missing} deliveries were not received`)
  const micro = 1_000_000
  return {
    seconds,
    messages: sent,
    acks: acked,
    deliveries: delivered,
    messages_per_s: sent / seconds,
    acks_per_s: acked / seconds,
    deliveries_per_s: delivered / seconds,
    cpu_per_delivery_us: cpu.server * micro / delivered,
    cpu_per_message_us: cpu.server * micro / sent,
    database_cpu_per_message_us: cpu.database * micro / sent,
    latency_p50_ms: latency.p50,
    latency_p99_ms: latency.p99,
    latency_max_ms: latency.max,
    ack_p50_ms: ackLatency.p50,
    ack_p99_ms: ackLatency.p99,
    ack_max_ms: ackLatency.max,
    server_cores: cpu.server / seconds,
    database_cores: cpu.database / seconds,
    generator_cores: cpu.generator / seconds,
    generator_lag_p99_ms: lag.p99,
    generator_lag_max_ms: lag.max,
    server_rss_mb: pids.reduce((sum, pid) => sum + rssOf(pid), 0) / 1_048_576
  }
}

/** Columns that show the CPU use of server, database and load generator, and how late the generator was. */
export const effort: Column[] = [
  { key: 'server_cores', title: 'server cores', digits: 2 },
  { key: 'database_cores', title: 'database cores', digits: 2 },
  { key: 'generator_cores', title: 'generator cores', digits: 2 },
  { key: 'generator_lag_p99_ms', title: 'generator lag p99 ms', digits: 1 }
]

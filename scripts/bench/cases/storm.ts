import { atMost, type Case, type Run } from '../case.ts'
import { cpuOf } from '../proc.ts'
import { contenders } from '../servers.ts'
import { CONCURRENCY } from './traffic.ts'

const CONNECTIONS = 2000
const PER_CHANNEL = 100
/** Seconds within which all connections have to be back. */
const LIMIT = 30

/** Measures the time until all clients are back after a network failure, when they reconnect at the same time. */
export const storm: Case = {
  name: 'storm',
  title: `Reconnect storm of ${CONNECTIONS.toLocaleString('en-US')}`,
  conditions: [
    'All connections are cut and reconnect at the same time, without a pause. The time ends when the last one has joined again.',
    `Parley: each connection authenticates and joins; the ${PER_CHANNEL} users of a channel get each other's notices.`,
    'Socket.IO: each connection opens and joins, nothing else.'
  ],
  columns: [
    { key: 'seconds', title: 'seconds', digits: 2 },
    { key: 'cpu_per_connection_us', title: 'CPU µs/connection', digits: 0 },
    { key: 'first_open_s', title: 'first time, seconds', digits: 2 }
  ],
  async measure (bench) {
    const runs: Run[] = []
    for (let round = 1; round <= bench.timing.rounds; round++) {
      for (const contender of [contenders.parley, contenders.socketio]) {
        const figures = await bench.withServer(contender, async ({ ports, pids: [pid] }, generator) => {
          const first = await generator.open({
            dialect: contender.dialect,
            ports,
            count: CONNECTIONS,
            channels: Array.from({ length: CONNECTIONS / PER_CHANNEL }, (_, i) => `storm-${i}`),
            concurrency: CONCURRENCY
          }, contender.authenticates ? bench.databases.tokensFile : null)
          const before = cpuOf(pid!)
          const { seconds } = await generator.storm()
          return { seconds, cpu_per_connection_us: (cpuOf(pid!) - before) * 1_000_000 / CONNECTIONS, first_open_s: first.seconds }
        })
        bench.progress(`${contender.name}: all back after ${figures.seconds.toFixed(2)} s`)
        runs.push({ row: contender.name, round, figures })
      }
    }
    return runs
  },
  judge: medians => [atMost('seconds until all are back', medians.get(contenders.parley.name)!.seconds!, LIMIT, LIMIT, 's')],
  chart: {
    key: 'seconds',
    title: 'Reconnect storm of 2,000',
    unit: 's (less is better)',
    rows: [contenders.parley.name, contenders.socketio.name]
  }
}

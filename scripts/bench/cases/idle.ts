import { atMost, ratio, type Bench, type Case, type Figures, type Run } from '../case.ts'
import type { Generator } from '../generator.ts'
import { cpuOf, rssOf } from '../proc.ts'
import { contenders, type Server } from '../servers.ts'
import { CONCURRENCY } from './traffic.ts'

const CONNECTIONS = 10_000
const PER_CHANNEL = 10
const WARM_UP_CONNECTIONS = 500
/** Seconds that a server gets to release the warm-up connections, and to finish work that opening connections causes. */
const PAUSE = 2

const { parley: { name: parley }, socketio: { name: socketio } } = contenders

/** Measures the cost of connections that do nothing. */
export const idle: Case = {
  name: 'idle',
  title: `${CONNECTIONS.toLocaleString('en-US')} idle connections`,
  conditions: [
    `Parley: each connection authenticates as another user and joins; the ${PER_CHANNEL} users of a channel get each other's notices.`,
    'Socket.IO: each connection opens and joins, nothing else.',
    `Memory is the growth of the resident set since a warm-up of ${WARM_UP_CONNECTIONS} connections.`,
    'After that as many connections open again, when V8 has optimized the code.'
  ],
  columns: [
    { key: 'memory_per_connection_kb', title: 'KB/connection', digits: 1 },
    { key: 'cpu_per_open_us', title: 'CPU µs to open', digits: 0 },
    { key: 'cpu_per_reopen_us', title: 'again', digits: 0 },
    { key: 'opened_per_s', title: 'opened/s', digits: 0 },
    { key: 'idle_cpu_ms_per_s', title: 'idle CPU ms/s', digits: 1 },
    { key: 'base_rss_mb', title: 'base MB', digits: 0 },
    { key: 'settled_rss_mb', title: 'settled MB', digits: 0 }
  ],
  async measure (bench) {
    const runs: Run[] = []
    for (let round = 1; round <= bench.timing.rounds; round++) {
      for (const contender of [contenders.parley, contenders.socketio]) {
        const figures = await bench.withServer(contender, (server, generator) => measureOne(bench, server, generator))
        bench.progress(`${contender.name}: ${figures.memory_per_connection_kb!.toFixed(1)} KB per connection`)
        runs.push({ row: contender.name, round, figures })
      }
    }
    return runs
  },
  judge: medians => {
    const [memory, theirs] = [parley, socketio].map(row => medians.get(row)!.memory_per_connection_kb!) as [number, number]
    return [
      atMost('KB per connection, at most that of Socket.IO in this run', memory, theirs, 10, 'KB'),
      atMost("CPU to open, authenticate and join, over Socket.IO's to open and join",
        ratio(medians, 'cpu_per_open_us', parley, socketio), 1, 1),
      atMost('The same for as many connections after these', ratio(medians, 'cpu_per_reopen_us', parley, socketio), 1, 1)
    ]
  },
  chart: {
    key: 'memory_per_connection_kb',
    title: 'Memory per idle connection',
    unit: 'KB (less is better)',
    rows: [parley, socketio]
  }
}

async function measureOne (bench: Bench, { contender, ports, pids }: Server, generator: Generator): Promise<Figures> {
  const { timing, databases, pause } = bench
  const pid = pids[0]!
  const open = (count: number, name: string) => generator.open({
    dialect: contender.dialect,
    ports,
    count,
    channels: Array.from({ length: count / PER_CHANNEL }, (_, i) => `${name}-${i}`),
    concurrency: CONCURRENCY
  }, contender.authenticates ? databases.tokensFile : null)

  const drop = async (): Promise<void> => {
    await generator.drop()
    await pause(PAUSE)
  }
  const openAll = async (name: string) => {
    const before = cpuOf(pid)
    const { seconds } = await open(CONNECTIONS, name)
    await pause(PAUSE)
    return { seconds, cpu: cpuOf(pid) - before }
  }

  await open(WARM_UP_CONNECTIONS, 'warm-up')
  await drop()
  const base = rssOf(pid)
  const first = await openAll('idle')
  await pause(timing.settle)
  const settled = { rss: rssOf(pid), cpu: cpuOf(pid), at: performance.now() }
  await pause(timing.idle)
  const ended = { cpu: cpuOf(pid), at: performance.now() }
  await drop()
  const again = await openAll('again')
  return {
    memory_per_connection_kb: (settled.rss - base) / 1024 / CONNECTIONS,
    cpu_per_open_us: first.cpu * 1_000_000 / CONNECTIONS,
    cpu_per_reopen_us: again.cpu * 1_000_000 / CONNECTIONS,
    opened_per_s: CONNECTIONS / first.seconds,
    idle_cpu_ms_per_s: (ended.cpu - settled.cpu) * 1_000_000 / (ended.at - settled.at),
    base_rss_mb: base / 1_048_576,
    settled_rss_mb: settled.rss / 1_048_576
  }
}

import { atMost, ratio, type Bench, type Case, type Figures, type Run } from '../case.ts'
import type { Generator } from '../generator.ts'
import { cpuOf } from '../proc.ts'
import { contenders, type Contender, type Server } from '../servers.ts'
import { CONCURRENCY } from './traffic.ts'

/** The fewer connections a young process opens, the more each of them costs. */
const COUNTS = [500, 1000, 2000]
/** The embedded database takes seconds of CPU, so it is measured once. */
const EMBEDDED_COUNT = 500
const PER_CHANNEL = 10
/** Seconds from the last connection to the end of the work that it causes. */
const PAUSE = 1.5
/** A server that has started rests when it uses at most this much CPU within this time, in seconds; this is asked so many times at most. */
const REST = { cpu: 0.01, time: 0.5, asked: 40 }

const parley = contenders.parley.name
const embedded = contenders.parleyEmbedded.name
const socketio = contenders.socketio.name
const rowOf = (name: string, count: number): string => `${name}, ${count.toLocaleString('en-US')}`

/** Measures what a connection costs in a process that has served none, as after a restart, when everyone comes back. */
export const opening: Case = {
  name: 'opening',
  title: 'Opening connections in a young process',
  conditions: [
    `The first ${COUNTS.map(count => count.toLocaleString('en-US')).join(', ')} connections of a process, ${CONCURRENCY} at the same time.`,
    `Parley: each connection authenticates as another user and joins; the ${PER_CHANNEL} users of a channel get each other's notices.`,
    'Socket.IO: each connection opens and joins, nothing else.',
    'Each process has finished the work of its start: on a busy machine that of Parley goes on for seconds after it listens.',
    'The embedded database works in the process, and its CPU counts; that of PostgreSQL does not.'
  ],
  columns: [
    { key: 'cpu_per_open_us', title: 'CPU µs to open', digits: 0 },
    { key: 'opened_per_s', title: 'opened/s', digits: 0 }
  ],
  async measure (bench) {
    const runs: Run[] = []
    for (let round = 1; round <= bench.timing.fineRounds; round++) {
      for (const count of COUNTS) {
        for (const contender of contendersFor(count)) {
          const row = rowOf(contender.name, count)
          const figures = await bench.withServer(contender, (server, generator) => measureOne(bench, contender, count, server, generator))
          bench.progress(`${row}: ${figures.cpu_per_open_us!.toFixed(0)} µs`)
          runs.push({ row, round, figures })
        }
      }
    }
    return runs
  },
  judge: medians => [
    ...COUNTS.map(count => atMost(`CPU of ${rowOf(parley, count)} connections, over Socket.IO's`,
      ratio(medians, 'cpu_per_open_us', rowOf(parley, count), rowOf(socketio, count)), 1, 1)),
    atMost(`CPU of ${rowOf(embedded, EMBEDDED_COUNT)} connections, over Socket.IO's`,
      ratio(medians, 'cpu_per_open_us', rowOf(embedded, EMBEDDED_COUNT), rowOf(socketio, EMBEDDED_COUNT)), 3, 2)
  ]
}

function contendersFor (count: number): Contender[] {
  const both = [contenders.parley, contenders.socketio]
  return count === EMBEDDED_COUNT ? [...both, contenders.parleyEmbedded] : both
}

async function measureOne (
  { databases, pause }: Bench, { dialect, authenticates }: Contender, count: number, { ports, pids: [pid] }: Server, generator: Generator
): Promise<Figures> {
  await untilItRests(pid!, pause)
  const before = cpuOf(pid!)
  const { seconds } = await generator.open({
    dialect,
    ports,
    count,
    channels: Array.from({ length: count / PER_CHANNEL }, (_, i) => `opening-${i}`),
    concurrency: CONCURRENCY
  }, authenticates ? databases.tokensFile : null)
  await pause(PAUSE)
  return { cpu_per_open_us: (cpuOf(pid!) - before) * 1_000_000 / count, opened_per_s: count / seconds }
}

/** Resolves when the work of the server's start is done, which goes on in the background after it listens. */
async function untilItRests (pid: number, pause: Bench['pause']): Promise<void> {
  for (let left = REST.asked; left > 0; left--) {
    const before = cpuOf(pid)
    await pause(REST.time)
    if (cpuOf(pid) - before <= REST.cpu) return
  }
  throw new Error('the server did not come to rest after its start')
}

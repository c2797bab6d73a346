import { atLeast, atMost, ratio, type Case } from '../case.ts'
import { contenders } from '../servers.ts'
import { effort, measureTraffic } from './traffic.ts'

const CONNECTIONS = 100
const CHANNELS = 20
const IN_FLIGHT = 10

const { parley, parleyEmbedded, parleyCluster, socketioPrisma, socketioPrismaAlone, socketioPrismaCluster } = contenders
const rows = [parley, socketioPrisma, socketioPrismaAlone, parleyCluster, socketioPrismaCluster, parleyEmbedded]

/** Measures the whole path of messages: authenticated, stored, acked and delivered. */
export const stored: Case = {
  name: 'stored',
  title: 'Stored and acknowledged messages',
  conditions: [
    `${CONNECTIONS} connections in ${CHANNELS} channels all publish, with ${IN_FLIGHT} messages in flight each, until their acks arrive.`,
    'PostgreSQL with fsync and synchronous_commit on. Socket.IO + Prisma: one `create` per message, then emit, then ack.'
  ],
  columns: [
    { key: 'acks_per_s', title: 'messages/s', digits: 0 },
    { key: 'ack_p50_ms', title: 'ack p50 ms', digits: 1 },
    { key: 'ack_p99_ms', title: 'ack p99 ms', digits: 1 },
    { key: 'cpu_per_message_us', title: 'CPU µs/message', digits: 0 },
    { key: 'database_cpu_per_message_us', title: 'database µs/message', digits: 0 },
    ...effort
  ],
  measure: bench => measureTraffic(bench, rows.map(contender => ({
    contender,
    subscribers: CONNECTIONS,
    channels: Array.from({ length: CHANNELS }, (_, i) => `stored-${i}`),
    publishers: CONNECTIONS,
    pace: { inFlight: IN_FLIGHT, until: 'ack' }
  }))),
  judge: medians => [[parley, socketioPrisma], [parleyCluster, socketioPrismaCluster]].flatMap(([ours, theirs]) => [
    atLeast(`messages/s, ${ours!.name} over ${theirs!.name}`, ratio(medians, 'acks_per_s', ours!.name, theirs!.name), 6, 10),
    atMost(`p99 of the ack, ${ours!.name} over ${theirs!.name}`, ratio(medians, 'ack_p99_ms', ours!.name, theirs!.name), 0.1, 0.1)
  ]),
  chart: { key: 'acks_per_s', title: 'Stored and acknowledged', unit: 'messages/s', rows: rows.map(row => row.name) }
}

import { atLeast, atMost, ratio, type Case } from '../case.ts'
import { contenders } from '../servers.ts'
import { effort, measureTraffic, whatEachDoes, type Traffic } from './traffic.ts'

const SUBSCRIBERS = 1000
/** Ways to saturate a server: the number of publishers, and of messages that each of them has in flight. */
const MANY = { publishers: 20, inFlight: 10 }
const FEW = { publishers: 10, inFlight: 1 }
/** Messages per second in the calm case. */
const CALM = 20

const rows = [contenders.parley, contenders.socketio, contenders.ws]
const { parley: { name: parley }, socketio: { name: socketio }, ws: { name: ws } } = contenders
const few = (name: string): string => `${name}, ${FEW.publishers} in flight`

const traffic = (publishers: number, pace: Traffic['pace'], row = (name: string): string => name): Traffic[] =>
  rows.map(contender => ({ contender, row: row(contender.name), subscribers: SUBSCRIBERS, channels: ['fan-out'], publishers, pace }))

export const saturated: Case = {
  name: 'fanout',
  title: `Fan-out to ${SUBSCRIBERS.toLocaleString('en-US')} subscribers, saturated`,
  conditions: [
    `${MANY.publishers} publishers with ${MANY.inFlight} messages in flight each, until they receive their own copies.`,
    `"${FEW.publishers} in flight": ${FEW.publishers} publishers with one message each. Parley then has fewer frames to send together.`,
    'The load generator, which reads each delivery, shares the cores with the server: the faster the server, the more it takes.',
    whatEachDoes
  ],
  columns: [
    { key: 'deliveries_per_s', title: 'deliveries/s', digits: 0 },
    { key: 'cpu_per_delivery_us', title: 'CPU µs/delivery', digits: 3 },
    { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
    { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
    ...effort
  ],
  measure: bench => measureTraffic(bench, [
    ...traffic(MANY.publishers, { inFlight: MANY.inFlight, until: 'echo' }),
    ...traffic(FEW.publishers, { inFlight: FEW.inFlight, until: 'echo' }, few)
  ]),
  judge: medians => [
    ...[socketio, ws].map(peer =>
      atLeast(`deliveries/s, Parley over ${peer}`, ratio(medians, 'deliveries_per_s', parley, peer), 25, 50)),
    ...[few(socketio), few(ws)].map(peer =>
      atLeast(`deliveries/s, Parley over ${peer}`, ratio(medians, 'deliveries_per_s', few(parley), peer), 3, 8))
  ],
  chart: { key: 'deliveries_per_s', title: 'Fan-out to 1,000 subscribers', unit: 'deliveries/s', rows: [parley, socketio, ws] }
}

export const calm: Case = {
  name: 'calm',
  title: `Fan-out to ${SUBSCRIBERS.toLocaleString('en-US')} subscribers, ${CALM} messages/s`,
  conditions: [`${MANY.publishers} publishers take turns; the latency of every delivery is measured.`, whatEachDoes],
  columns: [
    { key: 'cpu_per_delivery_us', title: 'CPU µs/delivery', digits: 2 },
    { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
    { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
    { key: 'deliveries_per_s', title: 'deliveries/s', digits: 0 },
    ...effort
  ],
  measure: bench => measureTraffic(bench, traffic(MANY.publishers, { rate: CALM }), bench.timing.fineRounds),
  judge: medians => [atMost('CPU per delivery, Parley over ws', ratio(medians, 'cpu_per_delivery_us', parley, ws), 1, 0.9)],
  chart: {
    key: 'cpu_per_delivery_us',
    title: `CPU per delivery at ${CALM} messages/s`,
    unit: 'µs (less is better)',
    rows: [parley, socketio, ws]
  }
}

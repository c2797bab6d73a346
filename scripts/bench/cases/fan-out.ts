import { atLeast, atMost, ratio, type Case } from '../case.ts'
import { contenders } from '../servers.ts'
import { effort, measureTraffic, whatEachDoes, type Traffic } from './traffic.ts'

const SUBSCRIBERS = 1000
const PUBLISHERS = 20
const IN_FLIGHT = 10
/** Messages per second in the calm case. */
const CALM = 20

const rows = [contenders.parley, contenders.socketio, contenders.ws]
const { parley: { name: parley }, socketio: { name: socketio }, ws: { name: ws } } = contenders

const traffic = (pace: Traffic['pace']): Traffic[] =>
  rows.map(contender => ({ contender, subscribers: SUBSCRIBERS, channels: ['fan-out'], publishers: PUBLISHERS, pace }))

export const saturated: Case = {
  name: 'fanout',
  title: `Fan-out to ${SUBSCRIBERS.toLocaleString('en-US')} subscribers, saturated`,
  conditions: [`${PUBLISHERS} publishers with ${IN_FLIGHT} messages in flight each, until they receive their own copies.`, whatEachDoes],
  columns: [
    { key: 'deliveries_per_s', title: 'deliveries/s', digits: 0 },
    { key: 'cpu_per_delivery_us', title: 'CPU µs/delivery', digits: 3 },
    { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
    { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
    ...effort
  ],
  measure: bench => measureTraffic(bench, traffic({ inFlight: IN_FLIGHT, until: 'echo' })),
  judge: medians => [socketio, ws].map(peer =>
    atLeast(`deliveries/s, Parley over ${peer}`, ratio(medians, 'deliveries_per_s', parley, peer), 25, 50)),
  chart: { key: 'deliveries_per_s', title: 'Fan-out to 1,000 subscribers', unit: 'deliveries/s', rows: [parley, socketio, ws] }
}

export const calm: Case = {
  name: 'calm',
  title: `Fan-out to ${SUBSCRIBERS.toLocaleString('en-US')} subscribers, ${CALM} messages/s`,
  conditions: [`${PUBLISHERS} publishers take turns; the latency of every delivery is measured.`, whatEachDoes],
  columns: [
    { key: 'cpu_per_delivery_us', title: 'CPU µs/delivery', digits: 2 },
    { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
    { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
    { key: 'deliveries_per_s', title: 'deliveries/s', digits: 0 },
    ...effort
  ],
  measure: bench => measureTraffic(bench, traffic({ rate: CALM }), bench.timing.fineRounds),
  judge: medians => [atMost('CPU per delivery, Parley over ws', ratio(medians, 'cpu_per_delivery_us', parley, ws), 1, 0.9)],
  chart: {
    key: 'cpu_per_delivery_us',
    title: `CPU per delivery at ${CALM} messages/s`,
    unit: 'µs (less is better)',
    rows: [parley, socketio, ws]
  }
}

import { atMost, format, ratio, type Case, type Column } from '../case.ts'
import { contenders } from '../servers.ts'
import { effort, measureTraffic, whatEachDoes } from './traffic.ts'

/** The same total in every row: the more subscribers receive each message, the fewer messages are published. */
const DELIVERIES_PER_SECOND = 20_000
const SUBSCRIBERS = [10, 100, 1000, 10_000]
const CHANNELS = [1, 10, 100, 1000]
const PER_CHANNEL = 10
const PUBLISHERS = 10
/** The default room, the only channel without a cap on its members. */
const ROOM = 'general'

const { parley, socketio, ws } = contenders
const columns: Column[] = [
  { key: 'cpu_per_delivery_us', title: 'CPU µs/delivery', digits: 2 },
  { key: 'latency_p50_ms', title: 'p50 ms', digits: 1 },
  { key: 'latency_p99_ms', title: 'p99 ms', digits: 1 },
  { key: 'messages_per_s', title: 'messages/s', digits: 0 },
  { key: 'deliveries_per_s', title: 'deliveries/s', digits: 0 },
  ...effort
]

const audience = (name: string, count: number): string => `${name}, ${format(count, 0)} subscriber${count === 1 ? '' : 's'}`
const [few, many] = [SUBSCRIBERS[0]!, SUBSCRIBERS.at(-1)!]

export const subscribers: Case = {
  name: 'subscribers',
  title: 'Growth with subscribers',
  conditions: [
    `One channel, ${format(DELIVERIES_PER_SECOND, 0)} deliveries/s in all; ${PUBLISHERS} publishers take turns.`,
    whatEachDoes
  ],
  columns,
  measure: bench => {
    const traffic = SUBSCRIBERS.flatMap(count => (count === many ? [parley, ws, socketio] : [parley, ws]).map(contender => ({
      contender,
      row: audience(contender.name, count),
      subscribers: count,
      channels: [ROOM],
      publishers: PUBLISHERS,
      pace: { rate: DELIVERIES_PER_SECOND / count }
    })))
    return measureTraffic(bench, traffic, bench.timing.fineRounds)
  },
  judge: medians => {
    const costs = SUBSCRIBERS.map(count => medians.get(audience(parley.name, count))!.cpu_per_delivery_us!)
    return [
      atMost(`p99 at ${format(many, 0)}, Parley over Socket.IO`,
        ratio(medians, 'latency_p99_ms', audience(parley.name, many), audience(socketio.name, many)), 1, 0.7),
      atMost(`CPU per delivery, dearest over cheapest from ${few} to ${format(many, 0)}`, Math.max(...costs) / Math.min(...costs), 1.5, 1.5)
    ]
  },
  chart: {
    key: 'latency_p99_ms',
    title: 'p99 to 10,000 subscribers',
    unit: 'ms (less is better)',
    rows: [parley, socketio].map(({ name }) => audience(name, many))
  }
}

export const channels: Case = {
  name: 'channels',
  title: 'Growth with channels',
  conditions: [
    `${PER_CHANNEL} subscribers in each channel; one of them publishes.`,
    `${format(DELIVERIES_PER_SECOND, 0)} deliveries/s in all, for any number of channels.`
  ],
  columns,
  measure: bench => measureTraffic(bench, CHANNELS.map(count => ({
    contender: parley,
    row: `${parley.name}, ${format(count, 0)} channel${count === 1 ? '' : 's'}`,
    subscribers: count * PER_CHANNEL,
    channels: Array.from({ length: count }, (_, i) => `growth-${i}`),
    publishers: count,
    pace: { rate: DELIVERIES_PER_SECOND / PER_CHANNEL }
  }))),
  judge: () => []
}

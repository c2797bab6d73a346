import { format, type Bench, type Case, type Column, type Figures, type Run } from '../case.ts'
import { fillChannels, fillMessages } from './fill.ts'
import { measurePoint, type Placement, type Point } from './point.ts'
import { measureRedis } from './redis.ts'

/** The load while something else grows. */
const base = { connections: 1000, audience: 10, rate: 200 }
const PEOPLE = [100, 1000, 10_000]
/** Channels that each person is in alone, besides the one in which messages are sent. */
const OWN_CHANNELS = [0, 1, 10, 100]
const SHARED_CHANNELS = { each: 20, people: 10 }
const UNUSED_CHANNELS = 100_000
const RATES = [50, 250, 1000]
const LARGE_AUDIENCE = 100
const KEPT = [10_000, 100_000, 1_000_000, 10_000_000]
const INSTANCES = [1, 2, 4]
/** Subscribers of a topic of Redis: 63 of 100 instances have somebody of a channel of 100 people who are spread. */
const SUBSCRIBERS = [1, 8, 63]

const number = (value: number): string => format(value, 0)

/** Names of rows, by which the simulation finds the figures that it begins with. */
export const rows = {
  people: (count: number) => `${number(count)} people`,
  channels: (own: number) => `${number(base.connections / base.audience + base.connections * own)} channels`,
  shared: `${number(base.connections * (1 + SHARED_CHANNELS.each) / SHARED_CHANNELS.people)} channels of ${SHARED_CHANNELS.people} people`,
  unused: `${number(base.connections / base.audience)} channels, and ${number(UNUSED_CHANNELS)} unused`,
  traffic: (rate: number, audience = base.audience) => `${number(rate)} messages/s to ${audience} people`,
  kept: (count: number) => `${number(count)} messages kept`,
  bus: { alone: 'one instance', together: 'two, pairs together', spread: 'two, pairs apart' },
  subscribers: (count: number) => `Redis, ${count} subscriber${count === 1 ? '' : 's'}`,
  instances: (count: number, placement: Placement) => count === 1 ? '1 instance' : `${count} instances, ${placement}`,
  mixed: (count: number) => `${count} instance${count === 1 ? '' : 's'}, in 5 channels`
}
/** The rows from which the simulation takes figures. */
export const inputs = {
  people: [1000, 10_000] as const,
  // Memory comes from the last of these, times do not: a busy machine looks at so many channels less often than every 2 s, so an idle
  // second would seem too cheap.
  own: [0, 10, 100] as const,
  rates: RATES,
  subscribers: [1, 63] as const,
  largeAudience: { rate: 50, audience: LARGE_AUDIENCE }
}

const measured: Column[] = [
  { key: 'server_us_per_message', title: 'server µs/message', digits: 0 },
  { key: 'server_us_per_delivery', title: 'µs/delivery', digits: 1 },
  { key: 'messages_per_commit', title: 'messages/commit', digits: 1 },
  { key: 'database_us_per_message', title: 'database µs/message', digits: 0 },
  { key: 'redis_us_per_message', title: 'Redis µs/message', digits: 0 },
  { key: 'bus_messages_per_message', title: 'bus messages', digits: 2 }
]
const idle: Column[] = [
  { key: 'idle_us_per_connection_and_s', title: 'idle µs/s and connection', digits: 1 },
  { key: 'idle_database_us_per_s', title: 'idle database µs/s', digits: 0 },
  { key: 'idle_redis_us_per_s', title: 'idle Redis µs/s', digits: 0 },
  { key: 'open_server_us', title: 'µs to open', digits: 0 },
  { key: 'memory_per_connection_kb', title: 'KB/connection', digits: 1 },
  { key: 'server_mb', title: 'server MB', digits: 0 },
  { key: 'redis_mb', title: 'Redis MB', digits: 1 }
]
const usual = `${number(base.connections)} people in channels of ${base.audience}, ${base.rate} messages/s`
const conditions = [
  'Costs are CPU time: a message takes what it adds to the idle time, which is given for itself. All instances use Redis.',
  'Each row is measured once. Most costs come from differences of rows, so other work on the machine raises all of them alike.'
]

async function fillUnused (databaseUrl: string): Promise<Figures> {
  await fillChannels(databaseUrl, UNUSED_CHANNELS)
  return { unused_channels: UNUSED_CHANNELS }
}

interface Series {
  name: string
  title: string
  condition: string
  columns: Column[]
  points (bench: Pick<Bench, 'timing' | 'progress'>): Point[]
}

function growth ({ name, title, condition, columns, points }: Series): Case {
  return {
    name: `growth-${name}`,
    title,
    conditions: [condition, ...conditions],
    columns,
    rows: bench => points(bench).map(({ row }) => row),
    async measure (bench) {
      const wanted = points(bench).filter(({ row }) => bench.row === null || row === bench.row)
      const runs: Run[] = []
      const failed: string[] = []
      for (const point of wanted) {
        try {
          const figures = await measurePoint(bench, point)
          bench.progress(`${point.row}: ${format(figures.server_us_per_message!, 0)} µs/message`)
          runs.push({ row: point.row, round: 1, figures })
        } catch (error) {
          // The other points have taken minutes, so one that fails must not lose them.
          failed.push(`${point.row}: ${(error as Error).message}`)
        }
      }
      if (failed.length === 0) return runs
      if (runs.length === 0) throw new Error(failed.join('; '))
      process.exitCode = 1
      for (const line of failed) bench.progress(`failed: ${line}`)
      return runs
    },
    judge: () => []
  }
}

const series: Series[] = [
  {
    name: 'users',
    title: 'Growth with people',
    condition: `Channels of ${base.audience}, ${base.rate} messages/s in all.`,
    columns: [...idle, ...measured],
    points: () => PEOPLE.map(connections => ({ row: rows.people(connections), ...base, connections }))
  },
  {
    name: 'channels',
    title: 'Growth with channels',
    condition: `${usual}. Nobody writes in the further channels.`,
    columns: [...idle, ...measured],
    points: ({ timing }) => [
      ...OWN_CHANNELS.filter(each => each * base.connections <= timing.rows)
        .map(each => ({ row: rows.channels(each), ...base, others: { each, people: 1 } })),
      ...SHARED_CHANNELS.each * base.connections <= timing.rows ? [{ row: rows.shared, ...base, others: SHARED_CHANNELS }] : [],
      { row: rows.unused, ...base, fill: fillUnused }
    ]
  },
  {
    name: 'traffic',
    title: 'Growth with messages and those who receive them',
    condition: `${number(base.connections)} people.`,
    columns: measured,
    points: () => [
      ...RATES.map(rate => ({ row: rows.traffic(rate), ...base, rate, isBrief: true })),
      { row: rows.traffic(RATES[0]!, LARGE_AUDIENCE), ...base, rate: RATES[0]!, audience: LARGE_AUDIENCE, isBrief: true }
    ]
  },
  {
    name: 'bus',
    title: 'The cost of the bus',
    condition: `${number(base.connections)} people in channels of two, 400 messages/s; the two share an instance, or have one each.`,
    columns: measured,
    points: () => {
      const pairs = { ...base, audience: 2, rate: 400, isBrief: true }
      return [
        { row: rows.bus.alone, ...pairs },
        { row: rows.bus.together, ...pairs, instances: 2, placement: 'together' },
        { row: rows.bus.spread, ...pairs, instances: 2 }
      ]
    }
  },
  {
    name: 'instances',
    title: 'Growth with instances',
    condition: `${usual}; then each of them also in 4 silent channels of 10, and 100 messages/s to channels of 20.`,
    columns: [...measured, ...idle],
    points: () => [
      ...INSTANCES.flatMap(instances => (instances === 1 ? ['spread'] as const : ['spread', 'together'] as const).map(placement =>
        ({ row: rows.instances(instances, placement), ...base, instances, placement, isBrief: true }))),
      ...INSTANCES.map(instances => ({
        row: rows.mixed(instances), ...base, audience: 20, rate: 100, others: { each: 4, people: 10 }, instances, isBrief: true
      }))
    ]
  },
  {
    name: 'kept',
    title: 'Growth with messages kept',
    condition: `${usual}. The messages kept are in the channels that are written to, and in the search index.`,
    columns: [
      ...measured,
      { key: 'fill_s', title: 'seconds to fill', digits: 0 },
      { key: 'message_bytes', title: 'bytes/message', digits: 0 },
      { key: 'search_bytes', title: 'of search', digits: 0 },
      { key: 'open_database_us', title: 'database µs to open', digits: 0 }
    ],
    points: ({ timing, progress }) => [...KEPT.filter(count => count < timing.rows), timing.rows].map(count => ({
      row: rows.kept(count),
      ...base,
      isBrief: true,
      async fill (url, channels) {
        const { seconds, messageBytes, searchBytes } = await fillMessages(url, channels, count, done => {
          if (done % 1_000_000 === 0) progress(`${number(done)} messages filled in`)
        })
        return { kept: count, fill_s: seconds, message_bytes: messageBytes, search_bytes: searchBytes }
      }
    }))
  }
]

const redis: Case = {
  name: 'growth-redis',
  title: 'Growth of Redis with the instances that follow a channel',
  conditions: ['One connection publishes 400 messages/s of 300 bytes to Redis itself. CPU time of Redis.'],
  columns: [{ key: 'redis_us_per_message', title: 'Redis µs/message', digits: 0 }],
  async measure (bench) {
    const runs: Run[] = []
    for (const count of SUBSCRIBERS) runs.push({ row: rows.subscribers(count), round: 1, figures: await measureRedis(bench, count) })
    return runs
  },
  judge: () => []
}

export const growthCases = [...series.map(growth), redis]

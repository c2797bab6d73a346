import type { Bench, Figures } from '../case.ts'
import { CONCURRENCY } from '../cases/traffic.ts'
import { contenders } from '../servers.ts'
import { METRICS_TOKEN, openReader, type Counters, type Reader } from './counters.ts'

export type Placement = 'spread' | 'together'

/** A community at work, on a number of instances. */
export interface Point {
  row: string
  connections: number
  /** People in each of the channels that messages are sent to. Each person is in one of them. */
  audience: number
  /** Channels that each person is also in, and the people in each of these. Nobody writes there. */
  others?: { each: number, people: number }
  /** Messages per second, of all people together. */
  rate: number
  instances?: number
  /** Whether the people of a channel are spread over the instances, or all of them use the same instance. */
  placement?: Placement
  /** Fills the database, given the names of the channels that messages are sent to. The figures that it returns are added. */
  fill?: (databaseUrl: string, channels: string[]) => Promise<Figures>
  /** Whether short pauses are enough, because the figures of idle time and memory come from other points. */
  isBrief?: boolean
}

/** The pauses of brief points, in seconds. A longer idle time has a whole round of heartbeats. */
const BRIEF = { settle: 5, idle: 10 }
/** The warm-up, at least: a server that has handled few messages has not been compiled yet. */
const WARM_UP = { rate: 600, times: 2 }
const MANY_CHANNELS = 50
const MICRO = 1_000_000
const MEGABYTE = 1_048_576

/**
 * Lets the people of a point connect, do nothing for a while, and then write. All costs are CPU time, read before the first message and
 * after the last delivery; the costs of messages are what they add to those of the idle time.
 */
export async function measurePoint (bench: Bench, point: Point): Promise<Figures> {
  const reader = await openReader(bench.redisUrl, bench.databases.postgresPid)
  try {
    await reader.flush()
    return await measureWith(bench, reader, point)
  } finally {
    reader.close()
  }
}

async function measureWith (bench: Bench, reader: Reader, point: Point): Promise<Figures> {
  const { connections, audience, others = { each: 0, people: 1 }, rate, instances = 1, placement = 'spread' } = point
  const { timing, pause, databases } = bench
  const [settle, idleTime] = (['settle', 'idle'] as const).map(name => Math.min(timing[name], point.isBrief ? BRIEF[name] : Infinity))
  const channels = Array.from({ length: connections / audience }, (_, i) => `growth-${i}`)
  const otherChannels = Array.from({ length: others.each }, (_, list) =>
    Array.from({ length: connections / others.people }, (_, i) => `other-${list}-${i}`))
  let filled: Figures = {}
  const contender = {
    ...contenders.parley,
    redis: true,
    instances,
    env: {
      METRICS_TOKEN,
      CHANNELS_MAX_CHANNELS_PER_USER: '0',
      CHANNELS_MAX_CREATED_PER_USER: '0',
      // The clients say nothing until all of them have joined, which takes minutes with very many channels.
      PERFORMANCE_CONNECTION_TIMEOUT: '86400',
      // On a busy machine the generator falls behind and then sends what is due at once.
      PERFORMANCE_MESSAGE_QUEUE_SIZE: '100000'
    },
    fill: async (url: string): Promise<void> => { filled = await point.fill?.(url, channels) ?? {} }
  }
  return bench.withServer(contender, async (server, generator) => {
    const read = () => reader.read(server)
    const started = await read()
    const { dialect } = contender
    const crowd = { dialect, ports: server.ports, together: placement === 'together', count: connections, channels, otherChannels }
    // The generator gives up if no connection gets ready for a minute, so those with many channels are fewer at a time.
    const concurrency = others.each < MANY_CHANNELS ? CONCURRENCY : CONCURRENCY / 8
    await generator.open({ ...crowd, concurrency }, databases.tokensFile)
    const opened = await read()
    await pause(settle!)
    const settled = await read()
    await pause(idleTime!)
    const rested = await read()
    await generator.pace({ rate: Math.max(rate, WARM_UP.rate), seconds: timing.warmUp * WARM_UP.times })
    const warm = await read()
    const { sent, delivered } = await generator.pace({ rate, seconds: timing.measure })
    const ended = await read()

    const idle = costs(settled, rested, rested.at - settled.at)
    const seconds = ended.at - warm.at
    const busy = costs(warm, ended, seconds)
    /** CPU microseconds that each message adds. */
    const added = (name: keyof typeof idle): number => (busy[name] - idle[name]) * seconds / sent
    const copies = (people: number): number => placement === 'together' ? 1 : Math.min(instances, people)
    const otherCount = others.each * connections / others.people
    return {
      connections,
      instances,
      audience,
      memberships: connections * (1 + others.each),
      existing_channels: channels.length + otherCount + (filled.unused_channels ?? 0),
      followed_channels: channels.length * copies(audience) + otherCount * copies(others.people),
      copies: copies(audience),
      ...filled,
      messages_per_s: sent / seconds,
      deliveries_per_s: delivered / seconds,
      messages_per_commit: (ended.committed - warm.committed) / (ended.commits - warm.commits),
      open_server_us: (opened.server - started.server) * MICRO / connections,
      open_database_us: (opened.database - started.database) * MICRO / connections,
      idle_server_us_per_s: idle.server,
      idle_database_us_per_s: idle.database,
      idle_redis_us_per_s: idle.redis,
      idle_us_per_connection_and_s: idle.server / connections,
      server_us_per_message: added('server'),
      server_us_per_delivery: added('server') * sent / delivered,
      database_us_per_message: added('database'),
      redis_us_per_message: added('redis'),
      bus_messages_per_message: Math.max(0, busy.published - idle.published) / MICRO * seconds / sent,
      busy_server_us_per_s: busy.server,
      busy_database_us_per_s: busy.database,
      busy_redis_us_per_s: busy.redis,
      server_mb: settled.serverMemory / MEGABYTE,
      redis_mb: settled.redisMemory / MEGABYTE,
      memory_per_connection_kb: (settled.serverMemory - started.serverMemory) / 1024 / connections
    }
  })
}

/** Per second: microseconds of CPU, and millionths of bus messages. */
function costs (from: Counters, to: Counters, seconds: number) {
  const perSecond = (name: 'server' | 'database' | 'redis' | 'published'): number => (to[name] - from[name]) * MICRO / seconds
  return { server: perSecond('server'), database: perSecond('database'), redis: perSecond('redis'), published: perSecond('published') }
}

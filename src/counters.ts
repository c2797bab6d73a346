import type { Redis } from 'ioredis'
import { createLink, openConnection, repeat, type Logger } from './redis.ts'
import { findServer } from './redis-servers.ts'
import type { RedisSettings } from './redis-settings.ts'
import { createWindowCounter, type Count } from './window-counter.ts'

interface CountersDeps extends Omit<RedisSettings, 'url'> {
  /** URL of Redis. Undefined: this instance is the only one. */
  url: string | undefined
  prefix: string
  logger: Logger
}

/** Milliseconds that a request waits at most for its count. Only the first requests after Redis stops answering wait that long. */
const COMMAND_TIMEOUT_MS = 500
/** Milliseconds between two probes. Some platforms end a connection that is silent for minutes. */
const PROBE_INTERVAL_MS = 10_000

/** Adds one to a count. The first count opens the window. */
const ADD = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`

/** A write that changes nothing. Redis refuses it where it would refuse a count: on a replica, with a full disk, or without the right. */
const PROBE = "return redis.call('DEL', KEYS[1])"

const READ = "return {tonumber(redis.call('GET', KEYS[1]) or 0), redis.call('PTTL', KEYS[1])}"

interface OpenCounters { redis: Redis, lost (error: Error): void }

export type Counters = ReturnType<typeof createCounters>

/**
 * Counts events within windows of time, for all instances with the same `url` and `prefix`. Each instance also keeps its own counts. They
 * are used at once when there is no Redis or Redis is unreachable.
 */
export function createCounters ({ url, prefix, logger, ...others }: CountersDeps) {
  const own = createWindowCounter()
  const settings = url === undefined ? null : { url, ...others }
  const link = settings && createLink<OpenCounters>({ name: 'rate limits', settings, logger, open, onUp () {}, onDown () {} })

  async function open (signal: AbortSignal, lost: (error: Error) => void): Promise<OpenCounters> {
    const redis = await openConnection(await findServer(settings!, signal), signal, COMMAND_TIMEOUT_MS, lost)
    // A frozen server still accepts connections. Only an answer shows that it works.
    const probe = () => redis.eval(PROBE, 1, `${prefix}probe`)
    await probe()
    repeat(() => { probe().catch(lost) }, PROBE_INTERVAL_MS, signal)
    return { redis, lost }
  }

  async function shared (ask: (redis: Redis) => Promise<unknown>): Promise<Count | null> {
    const session = link?.session
    if (!session) return null
    try {
      const [current, ttl] = await ask(session.redis) as [number, number]
      return { current, ttl: Math.max(0, ttl) }
    } catch (error) {
      session.lost(error as Error)
      return null
    }
  }

  return {
    /** Begins to connect. The caller does not have to wait for the connection. */
    start (): void { link?.start() },
    async close (): Promise<void> { await link?.close() },

    /** Adds one to the count of `key`. The first count opens a window of `window` milliseconds; after it the count is 0 again. */
    async add (key: string, window: number): Promise<Count> {
      const ours = own.add(key, window)
      return await shared(redis => redis.eval(ADD, 1, prefix + key, window)) ?? ours
    },

    async read (key: string): Promise<Count> {
      return await shared(redis => redis.eval(READ, 1, prefix + key)) ?? own.read(key)
    }
  }
}

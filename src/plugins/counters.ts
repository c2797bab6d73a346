import type { Redis } from 'ioredis'
import { createLink, openConnection, type Logger } from '../redis.ts'

export interface CountersDeps {
  url: string
  prefix: string
  logger: Logger
}

/** A request waits for its count at most this long, and only the first after Redis fell silent. */
const COMMAND_TIMEOUT_MS = 500

/** Counts one more; the first of a window opens it. */
const COUNT = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`

export type Counters = ReturnType<typeof createCounters>

/** Counters on Redis, for all instances with its `url` and `prefix`. While Redis is away, every count fails at once. */
export function createCounters ({ url, prefix, logger }: CountersDeps) {
  const link = createLink<{ redis: Redis, lost (error: Error): void }>({
    name: 'rate limits',
    url,
    logger,
    open: async (signal, lost) => ({ redis: await openConnection(url, signal, COMMAND_TIMEOUT_MS, lost), lost }),
    onUp () {},
    onDown () {}
  })

  return {
    start: link.start,
    close: link.close,

    /** Adds one to `key`; `current` is the count of this window of so many milliseconds, `ttl` what is left of it. */
    async count (key: string, timeWindow: number): Promise<{ current: number, ttl: number }> {
      const { session } = link
      if (!session) throw new Error('Redis is away')
      try {
        const [current, ttl] = await session.redis.eval(COUNT, 1, `${prefix}requests:${key}`, timeWindow) as [number, number]
        return { current, ttl }
      } catch (error) {
        session.lost(error as Error)
        throw error
      }
    }
  }
}

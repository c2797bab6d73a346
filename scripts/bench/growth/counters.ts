import { Redis } from 'ioredis'
import { cpuOf, cpuOfTree, rssOf } from '../proc.ts'
import type { Server } from '../servers.ts'

/** With this token, the server answers `GET /metrics`. */
export const METRICS_TOKEN = 'token-of-the-benchmark'

/** The counts up to a moment. Times are in seconds of CPU, `at` in seconds of the clock, memory is in bytes. */
export interface Counters {
  at: number
  server: number
  database: number
  redis: number
  /** PUBLISH commands that Redis has carried out, also those in scripts. */
  published: number
  /** Commits of messages, and the messages in them. */
  commits: number
  committed: number
  serverMemory: number
  redisMemory: number
}

export type Reader = Awaited<ReturnType<typeof openReader>>

/** Opens a connection to Redis, over which its counters are read and its keys are removed. */
export async function openReader (redisUrl: string, databasePid: number) {
  const redis = new Redis(redisUrl)
  await redis.ping()

  return {
    /** Removes what earlier servers have left in Redis. Otherwise a new server would take over their users. */
    flush: () => redis.flushall(),

    async read ({ ports, pids }: Pick<Server, 'ports' | 'pids'>): Promise<Counters> {
      const info = await redis.info('everything')
      const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
      const metrics = await Promise.all(ports.map(async port => {
        const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })
        if (!response.ok) throw new Error(`/metrics answers ${response.status}`)
        return response.text()
      }))
      return {
        at: performance.now() / 1000,
        server: sum(pids.map(cpuOf)),
        database: cpuOfTree(databasePid),
        redis: numberIn(info, /^used_cpu_user:(\S+)/m) + numberIn(info, /^used_cpu_sys:(\S+)/m),
        published: numberIn(info, /^cmdstat_publish:calls=(\d+)/m),
        commits: sum(metrics.map(text => numberIn(text, /^parley_batch_messages_count (\S+)/m))),
        committed: sum(metrics.map(text => numberIn(text, /^parley_batch_messages_sum (\S+)/m))),
        serverMemory: sum(pids.map(rssOf)),
        redisMemory: numberIn(info, /^used_memory:(\d+)/m)
      }
    },

    close: () => redis.disconnect()
  }
}

/** Returns the number that the pattern's group finds; 0 where there is none, as for a command that Redis has never carried out. */
function numberIn (text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0)
}

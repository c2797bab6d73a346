import { redis, startServer, type ConfigChange, type Scope, type Server } from '../helper.ts'

/** Two servers on one database. On the embedded database, which only one process can use, both are the same server. */
export type Pair = [Server, Server]

/** Starts the servers of each setting that a rule which the database keeps is tested in. */
export const settings: Record<string, (t: Scope, change?: ConfigChange) => Promise<Pair>> = {
  async 'two instances on PostgreSQL' (t, change = {}) {
    const config = { ...change, redis: redis() }
    const a = await startServer(t, { config })
    return [a, await startServer(t, { config, databaseUrl: a.databaseUrl })]
  },

  async 'the embedded database' (t, config = {}) {
    const server = await startServer(t, { config, embedded: true })
    return [server, server]
  }
}

/** Whether a server counts requests in Redis. It starts without waiting for the connection of its counters. */
export const isCounting = ({ lines }: Server): boolean => lines.some(line => line.includes('rate limits connected'))

/** Starts the servers of each setting that a count of requests is tested in: it is in Redis or, for one instance alone, in its memory. */
export const counts: typeof settings = {
  'two instances': settings['two instances on PostgreSQL']!,

  async 'one instance without Redis' (t, config = {}) {
    const server = await startServer(t, { config })
    return [server, server]
  }
}

import { Redis } from 'ioredis'
import { startBlackhole } from './blackhole.ts'
import { startRedis, type RedisServer } from './contracts/redis-server.ts'
import { eventually } from './eventually.ts'
import type { Scope } from './helper.ts'

/** The master does not wait for further replicas before it sends its data, and the replica does not write them to a file. */
export const OPTIONS = ['--repl-diskless-sync-delay', '0', '--repl-diskless-load', 'swapdb']

/** Starts a master, its replica, and an address that leads to the master. */
export async function startReplication (scope: Scope) {
  const first = await startRedis(scope, OPTIONS)
  const second = await startRedis(scope, OPTIONS)
  await replicate(second, first)
  const address = await startBlackhole(scope, first.port)
  return {
    first,
    second,
    address,
    url: `redis://127.0.0.1:${address.port}`,
    /** Makes the second server the master and the first its replica, which keeps its connections. The address still leads to the first. */
    async failOver (): Promise<void> {
      const redis = new Redis(second.url)
      await redis.replicaof('NO', 'ONE')
      redis.disconnect()
      await replicate(first, second)
    }
  }
}

/** Makes `server` a replica. Resolves when it has the data of `master`. */
export async function replicate (server: RedisServer, master: RedisServer): Promise<void> {
  const redis = new Redis(server.url)
  try {
    await redis.replicaof('127.0.0.1', String(master.port))
    await eventually(async () => (await redis.info('replication')).includes('master_link_status:up'))
  } finally {
    redis.disconnect()
  }
}

import type { Broker } from './broker/broker.ts'
import { createClusterBroker } from './broker/cluster.ts'
import { createMemoryBroker } from './broker/memory.ts'
import { createRedisBroker } from './broker/redis.ts'
import type { Config } from './config-schema.ts'
import { createAnnounce } from './connections/announce.ts'
import { createCounters, type Counters } from './counters.ts'
import { createClusterPresence } from './presence/cluster.ts'
import { createMemoryPresence } from './presence/memory.ts'
import type { Presence } from './presence/presence.ts'
import { createRedisPresence, type RedisPresenceDeps } from './presence/redis.ts'
import type { Logger } from './redis.ts'
import { createParts, PARTS } from './redis-parts.ts'
import { isCluster } from './redis-settings.ts'

/** Connections to Redis besides those that publish: for the subscription of the bus, for presence and for counters. */
const FURTHER_CONNECTIONS = 3

/** Creates the message bus between instances: on Redis if it is configured, otherwise within this process alone. */
export function createBroker ({ redis }: Pick<Config, 'redis'>, logger: Logger): Broker {
  const { url } = redis
  if (url === undefined) return createMemoryBroker()
  return (isCluster(url) ? createClusterBroker : createRedisBroker)({ ...redis, url, logger })
}

/** Creates presence, on Redis if it is configured, otherwise within this process. It announces changes on `broker`. */
export function createPresence (
  { redis }: Pick<Config, 'redis'>, broker: Broker, logger: Logger, times?: Pick<RedisPresenceDeps, 'lease' | 'renew'>
): Presence {
  const { url } = redis
  const announce = createAnnounce(broker)
  if (url === undefined) return createMemoryPresence(announce)
  return (isCluster(url) ? createClusterPresence : createRedisPresence)({ ...redis, ...times, url, announce, logger })
}

/** Creates the counts of limits that all instances have in common. In a cluster they are one part: a count is one short command. */
export function createLimitCounters ({ redis }: Pick<Config, 'redis'>, logger: Logger): Counters {
  const { url } = redis
  const [part] = url !== undefined && isCluster(url) ? createParts('limits', redis.prefix, 1) : []
  return createCounters({ ...redis, ...part && { prefix: part.prefix, part }, url, logger })
}

/** Connections to Redis that an instance keeps open. In a cluster each part has two for the bus and one for presence. */
export function connectionsTo ({ url, pool_size: poolSize }: Config['redis']): number {
  if (url === undefined) return 0
  return isCluster(url) ? 3 * PARTS + 1 : poolSize + FURTHER_CONNECTIONS
}

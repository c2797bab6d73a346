import type { Broker } from './broker/broker.ts'
import { createMemoryBroker } from './broker/memory.ts'
import { createRedisBroker } from './broker/redis.ts'
import type { Config } from './config-schema.ts'
import { createAnnounce } from './connections/announce.ts'
import { createMemoryPresence } from './presence/memory.ts'
import type { Presence } from './presence/presence.ts'
import { createRedisPresence, type RedisPresenceDeps } from './presence/redis.ts'
import type { Logger } from './redis.ts'

/** Creates the message bus between instances: on Redis if it is configured, otherwise within this process alone. */
export function createBroker ({ redis }: Pick<Config, 'redis'>, logger: Logger): Broker {
  const { url } = redis
  return url === undefined ? createMemoryBroker() : createRedisBroker({ ...redis, url, logger })
}

/** Creates presence, on Redis if it is configured, otherwise within this process. It announces changes on `broker`. */
export function createPresence (
  { redis }: Pick<Config, 'redis'>, broker: Broker, logger: Logger, times?: Pick<RedisPresenceDeps, 'lease' | 'renew'>
): Presence {
  const { url } = redis
  const announce = createAnnounce(broker)
  return url === undefined ? createMemoryPresence(announce) : createRedisPresence({ ...redis, ...times, url, announce, logger })
}

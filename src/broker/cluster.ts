import { choose, createParts } from '../redis-parts.ts'
import type { Broker, Topic } from './broker.ts'
import { createRedisBroker, type RedisBrokerDeps } from './redis.ts'

/**
 * The bus over a Redis Cluster: a bus for each part, with connections and beats of its own to the node that has it. A topic is always in
 * the same part, which keeps its events in order. `pool_size` does not count: each part publishes over one connection.
 */
export function createClusterBroker ({ prefix, ...deps }: RedisBrokerDeps): Broker {
  const parts = createParts('bus', prefix).map(part => createRedisBroker({ ...deps, prefix: part.prefix, part, pool_size: 1 }))
  const of = (topic: Topic): Broker => choose(parts, topic)
  const isConnected = (): boolean => parts.every(({ connected }) => connected)
  return {
    get connected () { return isConnected() },
    get dropped () { return parts.reduce((sum, { dropped }) => sum + dropped, 0) },
    publish: (topic, event, scope) => of(topic).publish(topic, event, scope),
    subscribe: topic => of(topic).subscribe(topic),
    unsubscribe: topic => of(topic).unsubscribe(topic),
    async start (handlers) {
      let reported = false
      const onConnected = (): void => {
        if (isConnected() === reported) return
        reported = !reported
        handlers.onConnected(reported)
      }
      await Promise.all(parts.map(part => part.start({ ...handlers, onConnected })))
    },
    async close () { await Promise.all(parts.map(part => part.close())) }
  }
}

import { randomUUID } from 'node:crypto'
import type { Broker, Topic } from '../../src/broker/broker.ts'
import { createRedisBroker, type RedisBrokerDeps } from '../../src/broker/redis.ts'
import { listen, notice, textOf, type Listener } from '../contracts/broker.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import type { Test } from '../tap.ts'

/** A Redis for the tests of one file, and brokers on it or on other servers. */
export async function startBrokers (t: Test) {
  /** What the brokers have logged. */
  const log: Array<{ level: string, details: object, text: string }> = []
  const logger = {
    info (details: object, text: string) { log.push({ level: 'info', details, text }) },
    warn (details: object, text: string) { log.push({ level: 'warn', details, text }) }
  }
  const shared = await startRedis(t)

  function create (deps: Partial<RedisBrokerDeps> = {}): Broker {
    return createRedisBroker({ url: shared.url, pool_size: 3, pool_timeout: 5, prefix: `${randomUUID()}:`, logger, beat: 100, ...deps })
  }

  return {
    log,
    shared,
    create,
    async open (test: Test, deps: Partial<RedisBrokerDeps> = {}): Promise<Listener> {
      const listener = await listen(create(deps))
      test.teardown(() => listener.broker.close())
      return listener
    }
  }
}

/**
 * Publishes a message to every topic. Resolves with whether all of them have arrived within half a second. An instance that has just
 * connected may not know of the other one yet, and then it publishes nothing: try again until this resolves with true.
 */
export async function arrives (topics: Topic[], from: Listener, to: Listener, text: string): Promise<boolean> {
  const before = to.events.length
  for (const topic of topics) from.broker.publish(topic, notice(text))
  return eventually(() => texts(to).slice(before).filter(each => each === text).length === topics.length, 500).catch(() => false)
}

export const texts = ({ events }: Listener) => events.map(({ event }) => textOf(event))

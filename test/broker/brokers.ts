import { randomUUID } from 'node:crypto'
import type { Broker } from '../../src/broker/broker.ts'
import { createRedisBroker, type RedisBrokerDeps } from '../../src/broker/redis.ts'
import { listen, textOf, type Listener } from '../contracts/broker.ts'
import { reserveRedis, startRedis, type RedisServer } from '../contracts/redis-server.ts'
import type { Test } from '../tap.ts'

/** A Redis for the tests of one file, and brokers on it or on other servers. */
export async function startBrokers (t: Test) {
  /** What the brokers have logged. */
  const log: Array<{ level: string, details: object, text: string }> = []
  const logger = {
    info (details: object, text: string) { log.push({ level: 'info', details, text }) },
    warn (details: object, text: string) { log.push({ level: 'warn', details, text }) }
  }
  const shared = await startRedis()
  t.teardown(() => shared.kill())

  function create (deps: Partial<RedisBrokerDeps> = {}): Broker {
    return createRedisBroker({ url: shared.url, pool_size: 3, pool_timeout: 5, prefix: `${randomUUID()}:`, logger, beat: 100, ...deps })
  }

  return {
    log,
    shared,
    create,
    async open (test: Test, deps: Partial<RedisBrokerDeps> = {}): Promise<Listener & { broker: Broker }> {
      const broker = create(deps)
      const listener = await listen(broker)
      test.teardown(() => broker.close())
      return { ...listener, broker }
    }
  }
}

/** A Redis of the test's own: started, or only with a port reserved for it. */
export async function openServer (test: Test, started = true, args: string[] = []): Promise<RedisServer> {
  const server = started ? await startRedis(args) : await reserveRedis(args)
  test.teardown(() => server.kill())
  return server
}

export const texts = ({ events }: Listener) => events.map(({ event }) => textOf(event))

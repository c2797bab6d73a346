import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Broker } from '../../src/broker/broker.ts'
import { loadConfig } from '../../src/config.ts'
import { createDatabase, startServer } from '../helper.ts'
import { faultyBroker } from './broker.ts'
import type { Faults } from './instance.ts'
import { createLedger } from './ledger.ts'
import type { Report } from './outcome.ts'
import { seedPeople, type Member } from './people.ts'
import { startProcess } from './process.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import type { Stage } from './scope.ts'

export interface ClusterOptions {
  /** The faults of each instance: one instance starts for each item. */
  faults?: Array<Faults | undefined>
  databaseUrl?: string
  redisUrl?: string
  env?: Record<string, string>
}

export interface VictimOptions extends Pick<ClusterOptions, 'env'> { faults?: Faults }

/** Starts the instances of one cluster: each in its own process if `stage.processes` is set, else all in this one. */
export async function startCluster (stage: Stage, report: Report, { faults = [undefined, undefined], ...options }: ClusterOptions = {}) {
  const databaseUrl = options.databaseUrl ?? await createDatabase(stage)
  const env = environment(databaseUrl, options)
  const instances = await Promise.all(faults.map(faults => startInstance(stage, env, faults)))
  const [a, b] = instances as [typeof instances[0], typeof instances[0]]
  return { instances: [a, b] as const, ...withPeople(stage, report, env, instances) }
}

/** Like `startCluster`, but always in separate processes, which can be stopped or killed. The returned `env` is that of the instances. */
export async function startProcesses (stage: Stage, report: Report, { faults = [undefined, undefined], ...options }: ClusterOptions = {}) {
  const databaseUrl = options.databaseUrl ?? await createDatabase(stage)
  const env = environment(databaseUrl, options)
  const instances = await Promise.all(faults.map(faults => startProcess(stage, { env, ...faults && { faults } })))
  const [a, b] = instances as [typeof instances[0], typeof instances[0]]
  return { env, instances: [a, b] as const, ...withPeople(stage, report, env, instances) }
}

/**
 * Starts a cluster of two instances. The first is always a separate process, which can be stopped or killed, and has these faults. The
 * second has none, and its own process only if `stage.processes` is set: each process that starts costs more than a CPU second.
 */
export async function startVictim (stage: Stage, report: Report, { faults, ...options }: VictimOptions = {}) {
  const databaseUrl = await createDatabase(stage)
  const env = environment(databaseUrl, options)
  const instances = await Promise.all([startProcess(stage, { env, ...faults && { faults } }), startInstance(stage, env)])
  return { instances, ...withPeople(stage, report, env, instances) }
}

/** Starts an instance in its own process if `stage.processes` is set, else in this one. `output` is its log. */
async function startInstance (stage: Stage, env: Environment, faults?: Faults): Promise<{ port: number, output: () => string }> {
  if (stage.processes) return startProcess(stage, { env, ...faults && { faults } })
  const { config } = loadConfig(env)
  const wrapBroker = (broker: Broker): Broker => faultyBroker(broker, faults ?? {})
  const { port, lines } = await startServer(stage, { config, databaseUrl: env.DATABASE_URL, wrapBroker })
  return { port, output: () => lines.join('\n') }
}

type Environment = ReturnType<typeof environment>

/** Limits are off, because all load comes from one address. Those of `startProcess` are set for instances in this process too. */
function environment (databaseUrl: string, { redisUrl = process.env.TEST_REDIS_URL!, env }: ClusterOptions) {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: `faults-${randomUUID()}:`,
    LIMITS_ENABLED: 'false',
    LIMITS_EVENT_LOOP_DELAY: '0',
    LOG_LEVEL: 'warn',
    ...env
  }
}

function withPeople (
  stage: Stage, report: Report, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_PREFIX: prefix }: Environment,
  instances: ReadonlyArray<{ port: number }>
) {
  return {
    databaseUrl,
    ledger: createLedger(databaseUrl, report),

    /** Number of channel and user topics to which any instance is subscribed. */
    async topics (): Promise<number> {
      const redis = new Redis(redisUrl)
      try {
        return ((await redis.pubsub('CHANNELS', `${prefix}*:*`)) as string[]).filter(name => !name.startsWith(`${prefix}beat:`)).length
      } finally {
        redis.disconnect()
      }
    },

    /** Opens a connection of this user. `join`: further fields of its join requests. */
    join: (member: Member, port: number, channels: string[], join: object = {}): Promise<Recorder> =>
      openRecorder(stage, port, member, channels, join),

    /** Creates users, opens one connection for each, on each instance in turn, and joins these channels. */
    async enter (count: number, channels: string[], ports = instances.map(({ port }) => port)): Promise<Recorder[]> {
      const people = await seedPeople(databaseUrl, count)
      return inParallel(people, (member, i) => openRecorder(stage, ports[i % ports.length]!, member, channels))
    }
  }
}

/** Runs `act` for every item, at most `atOnce` at the same time. */
export async function inParallel<T, R> (items: T[], act: (item: T, i: number) => Promise<R>, atOnce = 20): Promise<R[]> {
  const results: R[] = []
  let next = 0
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await act(items[i]!, i)
  }))
  return results
}

import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
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
  /** Faults of each instance; as many instances as there are. */
  faults?: Array<Faults | undefined>
  databaseUrl?: string
  redisUrl?: string
  env?: Record<string, string>
}

/** Instances of one cluster that share a process, or each with one: `stage` says which. */
export async function startCluster (stage: Stage, report: Report, { faults = [undefined, undefined], ...options }: ClusterOptions = {}) {
  const databaseUrl = options.databaseUrl ?? await createDatabase(stage)
  const env = environment(databaseUrl, options)
  const { config } = loadConfig(env)
  const instances = await Promise.all(faults.map(async (faults): Promise<{ port: number }> => stage.processes
    ? startProcess(stage, { env, ...faults && { faults } })
    : startServer(stage, { config, databaseUrl, wrapBroker: broker => faultyBroker(broker, faults ?? {}) })
  )) as [{ port: number }, { port: number }]
  return { instances, ...withPeople(stage, report, env, instances) }
}

/** The same, each instance a process in any case, because it will be stopped or killed. `env` is theirs. */
export async function startProcesses (stage: Stage, report: Report, { faults = [undefined, undefined], ...options }: ClusterOptions = {}) {
  const databaseUrl = options.databaseUrl ?? await createDatabase(stage)
  const env = environment(databaseUrl, options)
  const instances = await Promise.all(faults.map(faults => startProcess(stage, { env, ...faults && { faults } })))
  const [a, b] = instances as [typeof instances[0], typeof instances[0]]
  return { env, instances: [a, b] as const, ...withPeople(stage, report, env, instances) }
}

/** Without limits: all load comes from one address. */
function environment (databaseUrl: string, { redisUrl = process.env.TEST_REDIS_URL!, env }: ClusterOptions) {
  return { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_PREFIX: `faults-${randomUUID()}:`, LIMITS_ENABLED: 'false', ...env }
}

function withPeople (
  stage: Stage, report: Report, { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, REDIS_PREFIX: prefix }: ReturnType<typeof environment>,
  instances: ReadonlyArray<{ port: number }>
) {
  return {
    databaseUrl,
    ledger: createLedger(databaseUrl, report),

    /** How many channels and users any instance listens for. */
    async topics (): Promise<number> {
      const redis = new Redis(redisUrl)
      try {
        return ((await redis.pubsub('CHANNELS', `${prefix}*:*`)) as string[]).filter(name => !name.startsWith(`${prefix}beat:`)).length
      } finally {
        redis.disconnect()
      }
    },

    /** A connection of this user. `join`: further fields of its joins. */
    join: (member: Member, port: number, channels: string[], join: object = {}): Promise<Recorder> =>
      openRecorder(stage, port, member, channels, join),

    /** New users with a connection each, in turn on each instance, in the channels named. */
    async enter (count: number, channels: string[], ports = instances.map(({ port }) => port)): Promise<Recorder[]> {
      const people = await seedPeople(databaseUrl, count)
      return inParallel(people, (member, i) => openRecorder(stage, ports[i % ports.length]!, member, channels))
    }
  }
}

/** Carries out all, a few at a time. */
export async function inParallel<T, R> (items: T[], act: (item: T, i: number) => Promise<R>, atOnce = 20): Promise<R[]> {
  const results: R[] = []
  let next = 0
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await act(items[i]!, i)
  }))
  return results
}

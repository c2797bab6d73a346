import { setTimeout as delay } from 'node:timers/promises'
import type { DialectName } from './load/dialects.ts'
import type { Databases } from './databases.ts'
import type { Child, Processes } from './processes.ts'
import { root } from '../root.ts'

/** A kind of server that is measured. `name` is its name in the report. */
export interface Contender {
  name: string
  module: string
  dialect: DialectName
  database?: 'postgresql' | 'embedded'
  redis?: boolean
  instances?: number
  /** Whether it authenticates connections. If so, each connection belongs to another user. */
  authenticates: boolean
  /** Whether the default limits are on. */
  limits?: boolean
  /** Further environment variables. */
  env?: Record<string, string>
  /** Fills its PostgreSQL database before it starts. */
  fill?: (databaseUrl: string) => Promise<void>
}

export interface Server {
  contender: Contender
  ports: number[]
  pids: number[]
  /** Resolves when one of its processes ends, with a predicate such as "ended with SIGKILL". */
  ended: Promise<string>
  stop (): Promise<void>
}

const PARLEY = { module: '../../src/server', dialect: 'parley', authenticates: true } as const
const SOCKETIO_PRISMA = { module: 'peers/socketio-prisma', dialect: 'socketio', authenticates: true, database: 'postgresql' } as const

export const contenders = {
  parley: { name: 'Parley', ...PARLEY, database: 'postgresql' },
  parleyLimited: { name: 'Parley with limits', ...PARLEY, database: 'postgresql', limits: true },
  parleyEmbedded: { name: 'Parley, embedded database', ...PARLEY, database: 'embedded' },
  parleyCluster: { name: 'Parley × 2 + Redis', ...PARLEY, database: 'postgresql', redis: true, instances: 2 },
  socketio: { name: 'Socket.IO', module: 'peers/socketio', dialect: 'socketio', authenticates: false },
  socketioPrisma: { name: 'Socket.IO + Prisma + Redis', ...SOCKETIO_PRISMA, redis: true },
  socketioPrismaAlone: { name: 'Socket.IO + Prisma', ...SOCKETIO_PRISMA },
  socketioPrismaCluster: { name: '(Socket.IO + Prisma) × 2 + Redis', ...SOCKETIO_PRISMA, redis: true, instances: 2 },
  ws: { name: 'ws', module: 'peers/ws', dialect: 'ws', authenticates: false }
} as const satisfies Record<string, Contender>

/** Milliseconds within which a server has to listen. */
const START_TIMEOUT = 30_000

/** Starts all instances of a contender, each a process of its own, on a fresh database. */
export async function startServer (contender: Contender, { processes, databases, redisUrl, secret }: {
  processes: Processes, databases: Databases, redisUrl: string, secret: string
}): Promise<Server> {
  const { database, redis = false, instances = 1, limits = false, fill } = contender
  const databaseUrl = database === 'postgresql' ? await databases.create() : undefined
  if (databaseUrl !== undefined) await fill?.(databaseUrl)
  const env = {
    PORT: '0',
    JWT_SECRET: secret,
    // The limits are usually off, because all load comes from one address.
    LIMITS_ENABLED: String(limits),
    ...databaseUrl !== undefined && { DATABASE_URL: databaseUrl },
    ...database === 'embedded' && { PARLEY_DATA_DIR: await databases.createEmbedded() },
    ...redis && { REDIS_URL: redisUrl },
    ...contender.env
  }
  const children = Array.from({ length: instances }, () => processes.start(contender.module, { env, cwd: root }))
  const stop = async (): Promise<void> => { await Promise.all(children.map(child => child.stop())) }
  try {
    const ports = await Promise.all(children.map(portOf))
    return { contender, ports, pids: children.map(child => child.pid), ended: Promise.race(children.map(child => child.ended)), stop }
  } catch (error) {
    await stop()
    throw new Error(`${contender.name} ${(error as Error).message}`)
  }
}

/** Reads the port from the line that every server prints when it listens. */
export function portOf ({ process, ended }: Child): Promise<number> {
  const listening = new Promise<number>(resolve => {
    let output = ''
    process.stdout!.setEncoding('utf8').on('data', function read (text: string) {
      output += text
      const [, port] = /listening on \S+:(\d+)/.exec(output) ?? []
      if (port === undefined) return
      process.stdout!.off('data', read).resume()
      resolve(Number(port))
    })
  })
  const failed = ended.then(why => { throw new Error(why) })
  const late = delay(START_TIMEOUT, undefined, { ref: false })
    .then(() => { throw new Error(`did not start within ${START_TIMEOUT / 1000} s`) })
  return Promise.race([listening, failed, late])
}

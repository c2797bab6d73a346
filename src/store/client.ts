import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { PrismaClient } from '../generated/prisma/client.ts'
import { DatabaseError } from './database-error.ts'
import { lockDirectory } from './lock.ts'
import { applyMigrations, isMigrated, readMigrationStatus, withScripts, type MigrationStatus, type MigrationTarget } from './migrate.ts'
import { reserveConnection } from './reserved-connection.ts'

export interface PoolUse {
  used: number
  idle: number
  /** Requests that wait for a connection. */
  waiting: number
  max: number
}

/** Is told of what happens to the embedded database's disk. */
type DatabaseLogger = Pick<Logger, 'info' | 'error'>

export type Query = <Row>(text: string, values: unknown[]) => Promise<Row[]>

export interface Database {
  prisma: PrismaClient
  /**
   * One statement past Prisma, on a connection of the same pool that is kept for it: for what is called most, at a third of the CPU.
   * Rows are as the driver reads them: an int8 may be text.
   */
  query: Query
  kind: 'postgresql' | 'pglite'
  /** Applies missing migrations; resolves with their names. Safe when several instances start at once. */
  migrate (): Promise<string[]>
  migrationStatus (): Promise<MigrationStatus>
  /** Are all migrations of this code applied? One query, without the engine. */
  isMigrated (): Promise<boolean>
  /** How the connections are used; undefined for the embedded database, which has none. */
  pool (): PoolUse | undefined
  /** Nothing can be stored for want of room, which has been logged. Of PostgreSQL's disk only PostgreSQL knows: always false. */
  readonly full: boolean
  /** Ends every connection and gives the data directory free. */
  close (): Promise<void>
}

/** Milliseconds. A statement that waits longer has met a fault, not load: the caller answers `unavailable` and may try again. */
const LOCK_TIMEOUT = 1000
const STATEMENT_TIMEOUT = 5000
/** For a server that is frozen and cannot time out anything itself. */
const QUERY_TIMEOUT = STATEMENT_TIMEOUT

/** Any number, the same for all instances: only one of them migrates at a time. */
const MIGRATION_LOCK = 7_275_395
/** How long to wait for another instance that migrates. */
const MIGRATION_PATIENCE = '120s'

/**
 * Opens PostgreSQL where `url` is set, else the embedded PGlite in `data_dir` (made when missing; `memory://` keeps nothing).
 * The schema may still be old: call `migrate`.
 * @throws DatabaseError when the database cannot be reached, or another process holds the directory.
 */
export async function openDatabase (options: Config['database'], logger?: DatabaseLogger): Promise<Database> {
  return options.url === undefined ? openEmbedded(options.data_dir, logger) : openServer(options.url, options)
}

async function openServer (url: string, { pool_size: size, pool_timeout: timeout }: Config['database']): Promise<Database> {
  const connection = { ...connectionOptions(url), connectionTimeoutMillis: timeout * 1000, keepAlive: true }
  const pool = new pg.Pool({
    ...connection,
    max: size,
    lock_timeout: LOCK_TIMEOUT,
    statement_timeout: STATEMENT_TIMEOUT,
    idle_in_transaction_session_timeout: STATEMENT_TIMEOUT,
    query_timeout: QUERY_TIMEOUT
  })
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })
  // An idle connection that breaks is only dropped from the pool; without a listener it would end the process.
  pool.on('error', () => {})
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new DatabaseError(`database ${placeOf(url)}: ${reason(error)}`)
  }
  const reserved = reserveConnection(pool)
  const { query } = reserved
  return {
    prisma,
    query,
    kind: 'postgresql',
    migrate: () => withMigrationTarget(connection, applyMigrations),
    migrationStatus: () => withMigrationTarget(connection, readMigrationStatus),
    isMigrated: () => isMigrated(query),
    full: false,
    pool: () => ({ used: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount, max: size }),
    async close () {
      reserved.close()
      await prisma.$disconnect()
      // Prisma opens the pool lazily and would leave one that it never used open, which keeps the process alive.
      await pool.end()
    }
  }
}

/** Connections of their own: a migration may take longer than any statement of the running server. */
async function withMigrationTarget<T> (connection: pg.PoolConfig, use: (target: MigrationTarget) => Promise<T>): Promise<T> {
  const pool = new pg.Pool({ ...connection, max: 2 })
  pool.on('error', () => {})
  try {
    const holder = await pool.connect()
    try {
      await holder.query(`SET lock_timeout = '${MIGRATION_PATIENCE}'`)
      await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
      const factory = new PrismaPg(pool)
      return await use({
        connect: async () => withScripts(await factory.connect(), script => pool.query(script)),
        connectToShadowDb: openShadow
      })
    } finally {
      // Closing the connection is what gives the lock free, whatever state the session is in.
      holder.release(true)
    }
  } catch (error) {
    throw error instanceof DatabaseError ? error : new DatabaseError(`migrations failed: ${reason(error)}`)
  } finally {
    await pool.end()
  }
}

/** Prisma writes and reads times as UTC without saying so: every session has to be in UTC, whatever the server's zone. */
function connectionOptions (url: string): pg.PoolConfig {
  if (!URL.canParse(url)) throw new DatabaseError('DATABASE_URL is not a URL: are all special characters of the password percent-encoded?')
  const parsed = new URL(url)
  const own = parsed.searchParams.get('options')
  parsed.searchParams.set('options', `${own ? `${own} ` : ''}-c TimeZone=UTC`)
  if (!parsed.searchParams.has('application_name')) parsed.searchParams.set('application_name', 'parley')
  return { connectionString: parsed.href }
}

async function openEmbedded (directory: string, logger: DatabaseLogger | undefined): Promise<Database> {
  const inMemory = directory.startsWith('memory://')
  if (!inMemory) makeDirectory(directory)
  const unlock = inMemory ? async () => {} : await lockDirectory(directory)
  try {
    const { openEngine } = await import('./embedded.ts')
    const { PrismaPGlite } = await import('pglite-prisma-adapter')
    const engine = await openEngine(directory, inMemory, logger)
    // It asks no more of its client.
    const factory = new PrismaPGlite(engine as unknown as PGlite)
    const prisma = new PrismaClient({ adapter: factory })
    const target = {
      connect: async () => withScripts(await factory.connect(), script => engine.exec(script)),
      connectToShadowDb: openShadow
    }
    const query: Query = async <Row>(text: string, values: unknown[]) => (await engine.query<Row>(text, values)).rows
    return {
      prisma,
      query,
      kind: 'pglite',
      migrate: () => applyMigrations(target),
      migrationStatus: () => readMigrationStatus(target),
      isMigrated: () => isMigrated(query),
      pool: () => undefined,
      get full () { return engine.full },
      async close () {
        await prisma.$disconnect()
        await engine.close()
        await unlock()
      }
    }
  } catch (error) {
    await unlock()
    throw new DatabaseError(`${directory}: the embedded database cannot be opened: ${reason(error)}`)
  }
}

/** Makes a data directory that only its owner may enter, where there is none. @throws DatabaseError */
export function makeDirectory (directory: string): void {
  const path = resolve(directory)
  try {
    // In two steps: where nothing can be made (/proc), Node's recursive mkdir tries for ever.
    mkdirSync(dirname(path), { recursive: true })
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new DatabaseError(`${directory}: cannot be made: ${reason(error)}`)
  }
}

/** A fresh database in memory, so that making a migration needs no server. */
export async function openShadow () {
  const { PGlite } = await import('@electric-sql/pglite')
  const { PrismaPGlite } = await import('pglite-prisma-adapter')
  const pglite: PGlite = await PGlite.create('memory://')
  return withScripts(await new PrismaPGlite(pglite).connect(), script => pglite.exec(script))
}

/** Where a connection URL leads, without its credentials. */
export function placeOf (url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname
}

function reason (error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string, errors?: Error[] }
  return (message || errors?.[0]?.message || code || String(error)).replace(/\s*\n\s*/g, ' ').trim()
}

import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Config } from '../config.ts'
import { PrismaClient } from '../generated/prisma/client.ts'
import type { Database } from './client.ts'
import { DatabaseError, reasonOf } from './database-error.ts'
import { openShadow } from './embedded.ts'
import { applyMigrations, isMigrated, readMigrationStatus, withScripts, type MigrationTarget } from './migrate.ts'
import { reserveConnection } from './reserved-connection.ts'

/** Milliseconds. A statement that waits longer has met a fault, not load: the caller answers `unavailable` and may try again. */
const LOCK_TIMEOUT = 1000
const STATEMENT_TIMEOUT = 5000
/** For a server that is frozen and cannot time out anything itself. */
const QUERY_TIMEOUT = STATEMENT_TIMEOUT

/** Any number, the same for all instances: only one of them migrates at a time. */
const MIGRATION_LOCK = 7_275_395
/** How long to wait for another instance that migrates. */
const MIGRATION_PATIENCE = '120s'

/** Connects to a PostgreSQL server. @throws DatabaseError when it cannot be reached. */
export async function openServer (url: string, { pool_size: size, pool_timeout: timeout }: Config['database']): Promise<Database> {
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
    throw new DatabaseError(`database ${placeOf(url)}: ${reasonOf(error)}`)
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
    throw error instanceof DatabaseError ? error : new DatabaseError(`migrations failed: ${reasonOf(error)}`)
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

/** Where a connection URL leads, without its credentials. */
export function placeOf (url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname
}

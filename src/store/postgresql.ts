import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import type { Config } from '../config.ts'
import { PrismaClient } from '../generated/prisma/client.ts'
import type { Database } from './client.ts'
import { DatabaseError, reasonOf } from './database-error.ts'
import { openShadow } from './embedded.ts'
import { applyMigrations, isMigrated, readMigrationStatus, withScripts, type MigrationTarget } from './migrate.ts'
import { reserveConnection } from './reserved-connection.ts'

/** Milliseconds. A statement that waits longer has met a fault, not load: the client is answered `unavailable` and may try again. */
const LOCK_TIMEOUT = 1000
const STATEMENT_TIMEOUT = 5000
/** This process's own limit for a query, in case the server is frozen and cannot enforce its limits. */
const QUERY_TIMEOUT = STATEMENT_TIMEOUT

/** Key of the advisory lock that lets one instance migrate at a time. The number is arbitrary but the same for all instances. */
const MIGRATION_LOCK = 7_275_395
/** How long an instance waits while another one migrates. */
const MIGRATION_PATIENCE = '120s'

/** Connects to a PostgreSQL server. @throws DatabaseError when the server cannot be reached. */
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
  // The pool drops an idle connection that breaks; without a listener, the error event would end the process.
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
      // Prisma uses the pool lazily and does not end a pool that it never used; its connections would keep the process alive.
      await pool.end()
    }
  }
}

/** Opens connections without statement limits, because a migration may take longer than any statement of the running server. */
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
      // Closing the connection releases the advisory lock in any state of the session.
      holder.release(true)
    }
  } catch (error) {
    throw error instanceof DatabaseError ? error : new DatabaseError(`migrations failed: ${reasonOf(error)}`)
  } finally {
    await pool.end()
  }
}

/** Sets every session's time zone to UTC, whatever the server's is, because Prisma reads and writes times as UTC without a zone. */
function connectionOptions (url: string): pg.PoolConfig {
  if (!URL.canParse(url)) throw new DatabaseError('DATABASE_URL is not a URL: are all special characters of the password percent-encoded?')
  const parsed = new URL(url)
  const own = parsed.searchParams.get('options')
  parsed.searchParams.set('options', `${own ? `${own} ` : ''}-c TimeZone=UTC`)
  if (!parsed.searchParams.has('application_name')) parsed.searchParams.set('application_name', 'parley')
  return { connectionString: parsed.href }
}

/** Returns host and path of a connection URL, without its credentials. */
export function placeOf (url: string): string {
  const { host, pathname } = new URL(url)
  return host + pathname
}

import { PrismaPg } from '@prisma/adapter-pg'
import type { Config } from '../config-schema.ts'
import { placeOf } from '../connection-url.ts'
import { readDatabaseUrl, type DatabaseTarget } from '../database-url.ts'
import { PrismaClient } from '../generated/prisma/client.ts'
import type { Database, DatabaseLogger, LongTransaction, Query } from './client.ts'
import { DatabaseError, reasonOf } from './database-error.ts'
import { applyMigrations, isMigrated, readMigrationStatus } from './migrate.ts'
import { beginLongTransaction } from './long-transaction.ts'
import { Pool } from './pool.ts'
import { reserveConnection } from './reserved-connection.ts'

/** Key of the advisory lock that lets one instance migrate at a time. The number is arbitrary but the same for all instances. */
const MIGRATION_LOCK = 7_275_395
/** Milliseconds after which the driver gives up a migration. The server has no such limit for it. */
const MIGRATION_TIMEOUT = 3_600_000

/** What both URLs have to do. */
const MATCH = 'both must have the same database, the same ?schema= and a role that may use the tables'

/** Connects to a PostgreSQL server. @throws DatabaseError when the server cannot be reached, or Parley cannot work on it. */
export async function openServer (url: string, options: Config['database'], logger?: DatabaseLogger): Promise<Database> {
  const target = readDatabaseUrl(url, options.ca)
  for (const warning of target.warnings) logger?.warn({}, warning)
  const pool = openPool(target, options, logger)
  // Prisma puts the name between quotation marks, and does not escape those inside it.
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool, { schema: target.schema.replaceAll('"', '""') }) })
  try {
    await pool.query('SELECT 1')
  } catch (error) {
    await pool.end()
    throw new DatabaseError(`database ${placeOf(url)}: ${reasonOf(error)}${hintOf(error)}`)
  }
  const reserved = reserveConnection(pool)
  const { query } = reserved
  return {
    prisma,
    query,
    kind: 'postgresql',
    migrate: () => migrate(pool, options, logger),
    migrationStatus: () => readMigrationStatus({ query, allowNewer: options.allow_newer }),
    isMigrated: () => isMigrated(query),
    begin: ({ readOnly }) => begin(pool, options, readOnly),
    snapshot: () => Promise.reject(new DatabaseError('only files of the embedded database are copied')),
    full: false,
    pool: () => ({ used: pool.totalCount - pool.idleCount, idle: pool.idleCount, waiting: pool.waitingCount, max: pool.options.max }),
    serve () {},
    async close () {
      reserved.close()
      await prisma.$disconnect()
      // Prisma uses the pool lazily and does not end a pool that it never used; its connections would keep the process alive.
      await pool.end()
    }
  }
}

function openPool (target: DatabaseTarget, { pool_size: size, pool_timeout: timeout }: Config['database'], logger?: DatabaseLogger): Pool {
  return new Pool({
    target,
    size,
    timeout: timeout * 1000,
    onShrunk: (max, reason) => logger?.warn(
      { connections: max, wanted: size, reason: reasonOf(reason) },
      'the database allows fewer connections than database.pool_size: the pool is smaller now, and requests may wait for a connection'
    )
  })
}

/** Applies the missing migrations, over `DIRECT_URL` where it is set. */
async function migrate (pool: Pool, options: Config['database'], logger?: DatabaseLogger): Promise<string[]> {
  const { direct_url: directUrl } = options
  if (directUrl === undefined) return migrateOver(pool, options)
  const direct = openPool(readDatabaseUrl(directUrl, options.ca, 'DIRECT_URL'), { ...options, pool_size: 1 }, logger)
  try {
    // The check comes first, because migrating a wrong place would leave tables there.
    if (direct.schema !== pool.schema) throw new DatabaseError(`DIRECT_URL and DATABASE_URL name different schemas: ${MATCH}`)
    const applied = await migrateOver(direct, options)
    if (!await isMigrated(queryOf(pool))) {
      throw new DatabaseError(`DATABASE_URL leads to tables that DIRECT_URL has not migrated: ${MATCH}`)
    }
    return applied
  } catch (error) {
    throw error instanceof DatabaseError ? error : new DatabaseError(`database ${placeOf(directUrl)}: ${reasonOf(error)}${hintOf(error)}`)
  } finally {
    await direct.end()
  }
}

/** Begins a long transaction, over `DIRECT_URL` where it is set: a pooler may limit how long a transaction lasts. */
async function begin (pool: Pool, options: Config['database'], readOnly: boolean): Promise<LongTransaction> {
  const { direct_url: directUrl } = options
  if (directUrl === undefined) return beginLongTransaction(pool, readOnly)
  const direct = openPool(readDatabaseUrl(directUrl, options.ca, 'DIRECT_URL'), { ...options, pool_size: 1 })
  try {
    const { query, end } = await beginLongTransaction(direct, readOnly)
    return { query, end: commit => end(commit).finally(() => direct.end()) }
  } catch (error) {
    await direct.end()
    throw error
  }
}

function queryOf (pool: Pool): Query {
  return async (text, values) => (await pool.query(text, values)).rows
}

function migrateOver (pool: Pool, { allow_newer: allowNewer }: Config['database']): Promise<string[]> {
  return applyMigrations({
    query: queryOf(pool),
    runScript: script => pool.query({ text: script, query_timeout: MIGRATION_TIMEOUT } as { text: string }),
    preamble: preambleOf(pool.schema),
    allowNewer
  })
}

/**
 * A statement that waits for a table holds up all that come after it, so it gives up earlier than the wait for another migration.
 * PostgreSQL passes over a schema that the role may not use, and would create the tables as temporary ones.
 */
function preambleOf (schema: string): string {
  const name = schema.replaceAll("'", "''")
  return `SET LOCAL statement_timeout = 0;
    SET LOCAL lock_timeout = '120s';
    SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});
    SET LOCAL lock_timeout = '10s';
    DO $parley$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${name}') THEN EXECUTE format('CREATE SCHEMA %I', '${name}'); END IF;
      IF current_schema() IS DISTINCT FROM '${name}' THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'permission denied for schema ${name}';
      END IF;
    END $parley$;`
}

/** Returns what the operator can do about an error at the start. */
function hintOf (error: unknown): string {
  const { code = '', message } = error as { code?: string, message: string }
  if (code === '28P01' || /SASL/.test(message)) return '. Does the URL have the right password, percent-encoded?'
  if (code === '28000' && /no encryption|SSL off/.test(message)) return '. The server wants TLS: sslmode must not be disable'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return '. sslmode=verify-ca does not compare names'
  if (/^Connection terminated|timeout expired/.test(message)) return '. Does a PostgreSQL server or a pooler answer at this address?'
  if (/statement pooling/.test(message)) return '. Set pool_mode of the pooler to transaction or session'
  if (/CERT|UNABLE_TO/.test(code)) return '. Set DATABASE_CA to your provider’s certificate, or sslmode=require, which verifies nothing'
  return ''
}

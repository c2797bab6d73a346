import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LongTransaction, Query } from '../client.ts'
import { DatabaseError } from '../database-error.ts'
import { addRows, readDigest, type Digest } from './digest.ts'
import type { Dump, DumpHeader } from './dump.ts'
import { emptyAtFirst, readMigrationNames, readTables, tableNames } from './tables.ts'

export interface LoadOptions {
  /** Whether what the target has is removed first. Otherwise a target that is not empty is refused. */
  replace: boolean
  /** Called after each batch with the number of rows that are in the target. */
  onProgress (done: number, all: number): void
  /** Aborts when the load shall stop. */
  signal: AbortSignal
}

/** The names of all tables of the target, quoted and with commas. */
const ALL = tableNames.map(name => `"${name}"`).join(', ')

/**
 * Writes a dump into a database that has the same migrations, verifies every table, and commits. If anything fails, the database is as it
 * was.
 * @returns the number of rows by table.
 * @throws DatabaseError
 */
export async function loadDump (transaction: LongTransaction, dump: Dump, options: LoadOptions): Promise<Map<string, number>> {
  const { query } = transaction
  let committed = false
  try {
    await checkSchema(query, dump.header)
    await emptyTarget(query, options.replace)
    const digests = await writeRows(query, dump, options)
    await verify(query, digests)
    await query(`ANALYZE ${ALL}`, [])
    options.signal.throwIfAborted()
    await transaction.end(true)
    committed = true
    return new Map([...digests].map(([table, { count }]) => [table, count]))
  } catch (error) {
    throw explained(error)
  } finally {
    // The first error says what happened. A connection that is lost has rolled back by itself.
    if (!committed) await transaction.end(false).catch(() => {})
  }
}

/** Tables without the same columns would lose data without an error. @throws DatabaseError */
async function checkSchema (query: Query, { migrations, tables }: DumpHeader): Promise<void> {
  const here = await readMigrationNames(query)
  const missing = here.filter(name => !migrations.includes(name))
  const unknown = migrations.filter(name => !here.includes(name))
  if (unknown.length > 0) throw new DatabaseError(`the data is of a newer release, with the migration ${unknown[0]}: use that release`)
  if (missing.length > 0) {
    throw new DatabaseError(`the data is of an older release, without the migration ${missing[0]}: use that release, then upgrade`)
  }
  const known = new Map((await readTables(query)).map(table => [table.name, table.columns.join()]))
  const other = tables.find(({ name, columns }) => known.get(name) !== columns.join())
  if (other || tables.length !== known.size) throw new DatabaseError(`the tables differ: ${other?.name ?? 'some are missing'}`)
}

async function emptyTarget (query: Query, replace: boolean): Promise<void> {
  await query(`LOCK TABLE ${ALL} IN ACCESS EXCLUSIVE MODE`, [])
  const filled = emptyAtFirst.map(name => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM "${name}")`).join(' UNION ALL ')
  const [found] = await query<{ name: string }>(filled, [])
  if (found && !replace) throw new DatabaseError(`the target is not empty: it has rows in ${found.name}. --replace removes all that it has`)
  await query(`TRUNCATE ${ALL}`, [])
}

/** Returns the digests of all tables, computed from what the dump yields. */
async function writeRows (query: Query, dump: Dump, { onProgress, signal }: LoadOptions): Promise<Map<string, Digest>> {
  const digests = new Map<string, Digest>(dump.header.tables.map(({ name }) => [name, { count: 0, sum: 0n }]))
  let done = 0
  // Triggers would write what the dump has already, such as the handles of users. Foreign keys stay in force.
  for (const name of tableNames) await query(`ALTER TABLE "${name}" DISABLE TRIGGER USER`, [])
  for await (const { table, rows } of dump.batches()) {
    const digest = digests.get(table)
    if (!digest) throw new DatabaseError('the data has rows of an unknown table')
    await query(`INSERT INTO "${table}" SELECT * FROM json_populate_recordset(null::"${table}", $1::text::json)`, [`[${rows.join()}]`])
    addRows(digest, rows)
    done += rows.length
    onProgress(done, dump.header.rows)
    // The embedded database answers within one turn of the event loop, in which no signal arrives.
    await nextTurn()
    signal.throwIfAborted()
  }
  for (const name of tableNames) await query(`ALTER TABLE "${name}" ENABLE TRIGGER USER`, [])
  if (done !== dump.header.rows) throw new DatabaseError(`the data has ${done} rows instead of ${dump.header.rows}`)
  return digests
}

/** Compares every table with what was read of it. `Channel` has the last `seq` of every channel. @throws DatabaseError */
async function verify (query: Query, digests: Map<string, Digest>): Promise<void> {
  for (const [table, { count, sum }] of digests) {
    const written = await readDigest(query, table)
    if (written.count !== count) throw new DatabaseError(`${table} has ${written.count} rows instead of ${count}: nothing was kept`)
    if (written.sum !== sum) throw new DatabaseError(`${table} has other rows than what was read: nothing was kept`)
  }
}

/** SQLSTATE of a lock that another session has held for too long. */
const LOCK_NOT_AVAILABLE = '55P03'

function explained (error: unknown): unknown {
  if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) return error
  return new DatabaseError('another session uses the target’s tables: stop all servers there, and name another target than the source')
}

import type pg from 'pg'
import { DatabaseError } from './database-error.ts'
import { READ_ONLY } from './errors.ts'

/** Milliseconds. A statement that waits longer has met a fault, not load: the client is answered `unavailable` and may try again. */
const LOCK_TIMEOUT = 1000
export const STATEMENT_TIMEOUT = 5000
/** PostgreSQL 13, as `server_version_num`. */
const OLDEST_VERSION = 130_000

/** Names and values, as SET takes them. */
type Settings = Record<string, string>

/**
 * What a server says about itself. `readOnly`: it is a standby, or `default_transaction_read_only` is on. `replica`: foreign keys do
 * nothing, and only a superuser may change that.
 */
interface Server { pid: number, product: string, version: number, encoding: string, readOnly: boolean, replica: boolean }

/**
 * Makes all statements of a new connection run under Parley's own settings (UTC, READ COMMITTED, its schema, its time limits), whatever
 * the server, the database, the role or another user of the same session has set.
 *
 * The server itself keeps the settings of a session. A pooler (PgBouncer, Supavisor, RDS Proxy) may run each transaction in another
 * session, which others use as well. There, each statement becomes a transaction that sets everything locally. Its beginning, the statement
 * and the commit are sent together, so it still takes one round trip, and no lock outlives it.
 * @param within Milliseconds that each of the first answers may take.
 * @throws DatabaseError if Parley cannot work on this server.
 */
export async function prepareConnection (client: pg.PoolClient, schema: string, within: number): Promise<void> {
  const server = await readServer(client, within)
  const settings = settingsOf(schema, server.version)
  // A server announces the id of the process that serves the connection. A pooler announces an id of its own.
  const { processID } = client as unknown as { processID: number | null }
  if (server.pid === processID) {
    await client.query(sessionOf(settings))
    return
  }
  const begin = transactionOf(settings)
  await checkTransactions(client, begin, within)
  client.query = inTransactions(client.query.bind(client), begin) as typeof client.query
}

/**
 * Rejects if the pooler is in statement mode: it answers the beginning of a transaction with an error and ends the connection. If further
 * statements were sent together with the beginning, the connection could break before the error has been read.
 */
async function checkTransactions (client: pg.ClientBase, begin: string, within: number): Promise<void> {
  await client.query({ text: begin, query_timeout: within } as pg.QueryConfig)
  await client.query({ text: 'COMMIT', query_timeout: within } as pg.QueryConfig)
}

/** Returns what Parley sets on a server of this version. It limits times as the driver does: a statement must not outlive its client. */
export function settingsOf (schema: string, version: number): Settings {
  return {
    search_path: `"${schema.replaceAll('"', '""')}", pg_temp`,
    TimeZone: "'UTC'",
    DateStyle: "'ISO, YMD'",
    IntervalStyle: 'postgres',
    client_encoding: "'UTF8'",
    standard_conforming_strings: 'on',
    array_nulls: 'on',
    transform_null_equals: 'off',
    check_function_bodies: 'on',
    lock_timeout: String(LOCK_TIMEOUT),
    statement_timeout: String(STATEMENT_TIMEOUT),
    idle_in_transaction_session_timeout: String(STATEMENT_TIMEOUT),
    ...version >= 140_000 && { idle_session_timeout: '0' },
    ...version >= 170_000 && { transaction_timeout: '0' }
  }
}

/** Returns the statements that give a session these settings. */
function sessionOf (settings: Settings): string {
  const all: Settings = { ...settings, default_transaction_isolation: "'read committed'", default_transaction_deferrable: 'off' }
  return Object.entries(all).map(([name, value]) => `SET ${name} = ${value}`).join('; ')
}

/** Returns the statements that begin a transaction with these settings. */
function transactionOf (settings: Settings): string {
  const local = Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = ${value}`)
  return ['BEGIN ISOLATION LEVEL READ COMMITTED', ...local].join('; ')
}

/** Asks the server what it is. @throws DatabaseError if it is none that Parley can use. */
async function readServer (client: pg.ClientBase, within: number): Promise<Server> {
  const text = `SELECT pg_backend_pid() AS pid, version() AS product,
    current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
    current_setting('transaction_read_only') = 'on' AS "readOnly", current_setting('session_replication_role') = 'replica' AS replica`
  const { rows: [server] } = await client.query<Server>({ text, query_timeout: within } as pg.QueryConfig)
  const { product, version, encoding, readOnly, replica } = server!
  if (/cockroach/i.test(product)) throw new DatabaseError('CockroachDB is not supported: Parley needs PostgreSQL itself')
  if (version < OLDEST_VERSION) throw new DatabaseError('the server is older than PostgreSQL 13')
  if (encoding !== 'UTF8') throw new DatabaseError(`the database's encoding is ${encoding}: create it with ENCODING 'UTF8'`)
  if (replica) {
    throw new DatabaseError('session_replication_role is replica, which turns foreign keys off: reset it for the role and the database')
  }
  if (readOnly) {
    const reason = 'the server is read-only: it is a standby, or default_transaction_read_only is on. DATABASE_URL has to name another'
    throw Object.assign(new DatabaseError(reason), { code: READ_ONLY })
  }
  return server!
}

type Run = (statement: string | pg.QueryConfig, values?: unknown[]) => Promise<pg.QueryResult>
type Callback = (error: Error | undefined, result?: pg.QueryResult) => void

/**
 * Returns a `query` that runs each statement in a transaction of its own. It resolves once the commit has succeeded, because only then the
 * statement has happened. After an error the pool closes the connection, which ends the transaction.
 */
function inTransactions (run: Run, begin: string) {
  async function transact (statement: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> {
    // Beginning and commit wait as long as the statement, because all three are sent at once.
    const limit = typeof statement === 'object' && 'query_timeout' in statement ? { query_timeout: statement.query_timeout } : {}
    const [, result] = await Promise.all([run({ text: begin, ...limit }), run(statement, values), run({ text: 'COMMIT', ...limit })])
    return result
  }
  return (statement: string | pg.QueryConfig, values?: unknown[], callback?: Callback): Promise<pg.QueryResult> | undefined => {
    const result = transact(statement, values)
    if (!callback) return result
    result.then(found => callback(undefined, found), callback)
  }
}

/**
 * Returns what a long transaction begins with, on every kind of database. One that reads sees the data of one moment. One that writes sees
 * what others have committed before it locked their tables.
 */
export function beginning (readOnly: boolean): string {
  return `BEGIN ISOLATION LEVEL ${readOnly ? 'REPEATABLE READ READ ONLY' : 'READ COMMITTED READ WRITE'}; SET LOCAL bytea_output = 'hex'`
}

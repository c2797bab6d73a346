import pg from 'pg'

/** The first PostgreSQL whose `CREATE DATABASE` knows strategies, as `server_version_num`. Older ones always copy files. */
const FIRST_WITH_STRATEGY = 150_000

/** One connection of this process for each server. Opening one for each database would cost both sides more than a copy of the files. */
const pools = new Map<string, pg.Pool>()

/**
 * Creates a copy of `parley_template` on the PostgreSQL server with this URL. It copies files, which needs less CPU than PostgreSQL's
 * usual way, the write-ahead log.
 */
export async function copyTemplate (server: string, name: string): Promise<void> {
  const pool = poolOf(server)
  const { rows: [row] } = await pool.query<{ version: string }>("SELECT current_setting('server_version_num') AS version")
  const strategy = Number(row!.version) < FIRST_WITH_STRATEGY ? '' : 'STRATEGY FILE_COPY'
  await pool.query(`CREATE DATABASE ${name} TEMPLATE parley_template ${strategy}`)
}

/** Drops a database and ends its sessions. */
export async function dropDatabase (server: string, name: string): Promise<void> {
  await poolOf(server).query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

/** The connection stays open while it is idle, but does not keep the process running then. */
function poolOf (server: string): pg.Pool {
  const known = pools.get(server)
  if (known) return known
  const pool = new pg.Pool({ connectionString: server, max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true })
  // The pool opens a new connection after this one has failed.
  pool.on('error', () => {})
  pools.set(server, pool)
  return pool
}

import pg from 'pg'
import type { LongTransaction } from './client.ts'
import type { Pool } from './pool.ts'
import { beginning, settingsOf } from './session-settings.ts'

/** Milliseconds after which the driver gives up a statement. The server has no such limit. */
const STATEMENT_LIMIT = 3_600_000

/** Begins a transaction on a connection of the pool, without the time limits of other statements. It works behind poolers, too. */
export async function beginLongTransaction (pool: Pool, readOnly: boolean): Promise<LongTransaction> {
  const client = await pool.connect()
  // A statement that runs rejects when the connection breaks. Without a listener, the event would end the process.
  client.on('error', () => {})
  // Behind a pooler, the client's own `query` makes a transaction of each statement (session-settings.ts).
  const query: (statement: object) => Promise<pg.QueryResult> = pg.Client.prototype.query.bind(client)
  const run = (text: string, values?: unknown[]) => query({ text, values, query_timeout: STATEMENT_LIMIT })
  try {
    await run(beginning(readOnly))
    const { rows: [server] } = await run("SELECT current_setting('server_version_num')::int AS version")
    const limits = { lock_timeout: "'5s'", statement_timeout: '0', idle_in_transaction_session_timeout: '0' }
    const settings = Object.entries({ ...settingsOf(pool.schema, server.version), ...limits })
    await run(settings.map(([name, value]) => `SET LOCAL ${name} = ${value}`).join('; '))
  } catch (error) {
    client.release(true)
    throw error
  }
  return {
    query: async (text, values) => (await run(text, values)).rows,
    async end (commit) {
      try {
        await run(commit ? 'COMMIT' : 'ROLLBACK')
      } finally {
        client.release(true)
      }
    }
  }
}

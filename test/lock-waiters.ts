import type pg from 'pg'

/**
 * Counts the connections to the client's database that wait for a lock. Without the first statement a client in a transaction would not see
 * connections that were opened since its first look.
 */
export async function countLockWaiters (client: pg.Client): Promise<number> {
  await client.query('SELECT pg_stat_clear_snapshot()')
  const { rowCount } = await client.query(`SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`)
  return rowCount!
}

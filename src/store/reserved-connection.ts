import type pg from 'pg'
import type { Query } from './client.ts'

/**
 * Runs single statements on one connection that it reserves from the pool. A checkout per statement would cost a tenth of the CPU of a
 * message to 100 people, and would wait while the whole pool is in use. Statements use the pool while the reserved connection is busy, or
 * where the pool has only one connection. As in the pool, a connection is closed after its first error, and when it is unused.
 * @param rest Milliseconds after which an unused connection is closed.
 */
export function reserveConnection (pool: pg.Pool, rest = 10_000) {
  let reserved: pg.PoolClient | undefined
  let busy = false
  let closing = false
  const idle = setTimeout(() => { if (!busy) drop() }, rest).unref()

  async function take (): Promise<pg.PoolClient> {
    const client = await pool.connect()
    // Only this event reports that a connection broke while it was unused.
    client.on('error', () => { if (client === reserved) drop() })
    return client
  }

  function drop (): void {
    reserved?.release(true)
    reserved = undefined
  }

  const query: Query = async (text, values) => {
    if (busy || pool.options.max === 1) return (await pool.query(text, values)).rows
    busy = true
    try {
      reserved ??= await take()
      return (await reserved.query(text, values)).rows
    } catch (error) {
      drop()
      throw error
    } finally {
      busy = false
      idle.refresh()
      if (closing) drop()
    }
  }

  return {
    query,
    /** Returns the connection after its current statement, because a pool cannot end while one of its connections is checked out. */
    close (): void {
      closing = true
      if (!busy) drop()
    }
  }
}

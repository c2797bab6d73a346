import type pg from 'pg'
import type { Query } from './client.ts'
import type { Pool } from './pool.ts'

/**
 * Runs single statements on one connection that it reserves from the pool. A checkout per statement would cost a tenth of the CPU of a
 * message to 100 people, and would wait while the whole pool is in use. Statements use the pool while the reserved connection is busy, or
 * where the pool has only one connection. As in the pool, a connection is closed after its first error, when it is unused for long, and
 * when the pool closes its idle connections.
 * @param rest Milliseconds after which an unused connection is closed.
 */
export function reserveConnection (pool: Pool, rest = 10_000) {
  let reserved: pg.PoolClient | undefined
  let busy = false
  let closing = false
  const onError = (error: Error): void => drop(error)
  const dropUnused = (error: Error | boolean): void => { if (!busy) drop(error) }
  const idle = setTimeout(() => dropUnused(true), rest).unref()
  pool.freeReserved = dropUnused

  async function take (): Promise<pg.PoolClient> {
    const client = await pool.connect()
    // Only this event reports that a connection broke while it was unused.
    return client.on('error', onError)
  }

  function drop (error: Error | boolean): void {
    const dropped = reserved
    // Giving it back may make the pool ask for the reserved connection again.
    reserved = undefined
    dropped?.off('error', onError)
    dropped?.release(error)
  }

  const query: Query = async (text, values) => {
    if (busy || pool.options.max === 1) return (await pool.query(text, values)).rows
    busy = true
    try {
      reserved ??= await take()
      return (await reserved.query(text, values)).rows
    } catch (error) {
      drop(error as Error)
      throw error
    } finally {
      busy = false
      idle.refresh()
      if (closing) drop(true)
      else if (pool.options.max === 1) drop(false)
    }
  }

  return {
    query,
    /** Returns the connection after its current statement, because a pool cannot end while one of its connections is checked out. */
    close (): void {
      closing = true
      dropUnused(true)
    }
  }
}

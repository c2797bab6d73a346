import type pg from 'pg'
import type { Query } from './client.ts'

/**
 * Runs single statements on a connection that it takes from the pool and keeps: to take and give back one for each costs a tenth of
 * the CPU of a message to 100 people, and with the pool all in use they would wait. While it is busy, and where the pool has no other,
 * statements go the pool's way. As there, a connection ends with its first error, and when nobody uses it.
 * @param rest how long it may be unused, in milliseconds.
 */
export function reserveConnection (pool: pg.Pool, rest = 10_000) {
  let reserved: pg.PoolClient | undefined
  let busy = false
  let closing = false
  const idle = setTimeout(() => { if (!busy) drop() }, rest).unref()

  async function take (): Promise<pg.PoolClient> {
    const client = await pool.connect()
    // One that breaks at rest says so only here.
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
    /** Gives the connection back, after the statement under way: a pool does not end while one of its connections is out. */
    close (): void {
      closing = true
      if (!busy) drop()
    }
  }
}

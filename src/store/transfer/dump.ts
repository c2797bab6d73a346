import type { Query } from '../client.ts'
import { readMigrationNames, readTables, type Table } from './tables.ts'

/** Everything in a database, as of one moment. */
export interface Dump {
  header: DumpHeader
  /** Yields all rows, a table after the other in the order of the header. Each row is the JSON text of its columns. */
  batches (): AsyncIterable<Batch>
}

export interface DumpHeader {
  /** The names of the applied migrations. */
  migrations: string[]
  tables: Table[]
  /** How many rows all tables have together. */
  rows: number
}

export interface Batch { table: string, rows: string[] }

/** Characters that a batch has about. */
const BATCH_SIZE = 1_000_000
/** Rows of the first batch of a table, and of any batch at most. */
const FIRST_ROWS = 100
const MAX_ROWS = 2000

/** Reads a database within a long transaction that only reads. It holds one batch of rows in memory. */
export async function dumpDatabase (query: Query): Promise<Dump> {
  const migrations = await readMigrationNames(query)
  const tables = await readTables(query)
  let rows = 0
  for (const { name } of tables) rows += await countOf(query, name)
  return {
    header: { migrations, tables, rows },
    async * batches () {
      for (const { name } of tables) yield * rowsOf(query, name)
    }
  }
}

async function * rowsOf (query: Query, table: string): AsyncGenerator<Batch> {
  await query(`DECLARE parley_rows NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS row FROM "${table}" t`, [])
  for (let count = FIRST_ROWS; ;) {
    const found = await query<{ row: string }>(`FETCH ${count} FROM parley_rows`, [])
    if (found.length === 0) break
    const rows = found.map(({ row }) => row)
    yield { table, rows }
    const size = rows.reduce((sum, row) => sum + row.length, 0)
    count = Math.max(1, Math.min(MAX_ROWS, 2 * count, Math.floor(BATCH_SIZE * rows.length / size)))
  }
  await query('CLOSE parley_rows', [])
}

export async function countOf (query: Query, table: string): Promise<number> {
  const [row] = await query<{ count: string }>(`SELECT count(*)::text AS count FROM "${table}"`, [])
  return Number(row!.count)
}

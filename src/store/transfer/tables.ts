import { Prisma } from '../../generated/prisma/client.ts'
import type { Query } from '../client.ts'

/** A table with its columns in order, each as `name type`. */
export interface Table { name: string, columns: string[] }

/** The record of the applied migrations. It is copied like the tables of the data model. */
const RECORD = '_prisma_migrations'
/** Tables that have rows as soon as they exist, because migrations write them. */
const FILLED_BY_MIGRATIONS = [RECORD, 'SearchState']

/** The names of all tables that a copy has to contain. */
export const tableNames: string[] = [...Object.keys(Prisma.ModelName), RECORD]

/** The tables that are empty in a new database. */
export const emptyAtFirst: string[] = tableNames.filter(name => !FILLED_BY_MIGRATIONS.includes(name))

/** Returns all tables. Those that others refer to come first. */
export async function readTables (query: Query): Promise<Table[]> {
  const found = await query<Table & { refers: string[] }>(`
    SELECT c.relname::text AS name,
      ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
      ARRAY(SELECT DISTINCT r.relname::text FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
        WHERE f.conrelid = c.oid AND f.contype = 'f' AND r.oid <> c.oid) AS refers
    FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname::text = ANY ($1::text[])
    ORDER BY 1`, [tableNames])
  const sorted: Table[] = []
  const isReady = ({ refers }: { refers: string[] }): boolean => refers.every(name => sorted.some(table => table.name === name))
  for (let left = found; left.length > 0; left = left.filter(({ name }) => !sorted.some(table => table.name === name))) {
    const ready = left.filter(isReady)
    if (ready.length === 0) throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(', ')}`)
    sorted.push(...ready.map(({ name, columns }) => ({ name, columns })))
  }
  return sorted
}

/** Returns the names of the applied migrations, in order. */
export async function readMigrationNames (query: Query): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `SELECT migration_name AS name FROM ${RECORD} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`, [])
  return rows.map(({ name }) => name)
}

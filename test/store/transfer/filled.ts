import type { Database, Query } from '../../../src/store/client.ts'
import { readTables, tableNames } from '../../../src/store/transfer/tables.ts'

const USER = '01920000-0000-7000-8000-000000000001'
const CHANNEL = '01920000-0000-7000-8000-000000000002'
/** Text that encodings, escapes and other readers could change. */
const TEXT = '\ufeff"quoted" \\ \u0001 \n\t e\u0301 漢字😀 \u2028 {null}'

/** Values by the type of the column. A number of JavaScript could not keep the bigint. */
const values: Record<string, unknown> = {
  bigint: '9007199254740993',
  boolean: true,
  bytea: '\\x00ff5c22',
  integer: 7,
  smallint: 2,
  text: TEXT,
  'text[]': [TEXT, ''],
  'timestamp(3) with time zone': '2026-03-29T01:59:59.999Z',
  'timestamp(3) with time zone[]': ['2026-03-29T01:59:59.999Z'],
  'timestamp(6) with time zone': '0001-01-01T00:00:00.000001Z',
  tsvector: "'it''s' 'two words':1A,3"
}

/** Writes one row into every table that has none, whatever its columns are, and a few rows that triggers would not write. */
export async function fill (database: Pick<Database, 'query'>): Promise<void> {
  const { query } = database
  for (const { name, columns } of await readTables(query)) {
    const [found] = await query(`SELECT 1 FROM "${name}"`, [])
    if (found) continue
    const row: Record<string, unknown> = {}
    for (const text of columns) {
      const [column, type] = [text.slice(0, text.indexOf(' ')), text.slice(text.indexOf(' ') + 1)]
      const id = column === 'channelId' || (name === 'Channel' && column === 'id') ? CHANNEL : USER
      row[column] = type.startsWith('uuid') ? (type === 'uuid' ? id : [id]) : values[type] ?? await labelOf(query, type)
    }
    await query(`INSERT INTO "${name}" SELECT * FROM json_populate_recordset(null::"${name}", $1::text::json)`, [JSON.stringify([row])])
  }
  // A membership from before the column, and names that are no longer what the trigger would make of them.
  await query('UPDATE "ChannelUser" SET "readSeq" = NULL', [])
  await query('INSERT INTO "User" (id, name) SELECT gen_random_uuid(), \'guest \' || n FROM generate_series(1, 1000) n', [])
}

async function labelOf (query: Query, type: string): Promise<string> {
  const text = 'SELECT enumlabel::text AS label FROM pg_enum WHERE enumtypid = $1::text::regtype LIMIT 1'
  const [row] = await query<{ label: string }>(text, [type])
  return row!.label
}

/** Returns the rows of every table as sorted JSON texts. */
export async function contentOf ({ query }: Pick<Database, 'query'>): Promise<Record<string, string[]>> {
  const content: Record<string, string[]> = {}
  for (const name of tableNames) {
    const rows = await query<{ row: string }>(`SELECT row_to_json(t)::text AS row FROM "${name}" t ORDER BY 1`, [])
    content[name] = rows.map(({ row }) => row)
  }
  return content
}

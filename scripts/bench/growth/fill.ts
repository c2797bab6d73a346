import pg from 'pg'

/** Messages that one statement inserts. */
const ROWS_AT_ONCE = 200_000
/** Authors of the messages, at most: the first of the people. */
const AUTHORS = 1000
/** Milliseconds between two messages. */
const GAP_MS = 10
const INDEX = 'SearchEntry_words_idx'

/** Adds public channels that nobody is in. */
export async function fillChannels (url: string, count: number): Promise<void> {
  await withClient(url, async client => {
    await client.query(`INSERT INTO "Channel" (id, name)
      SELECT parley_new_id(), 'unused-' || g FROM generate_series(1, $1::int) g`, [count])
    await client.query('VACUUM ANALYZE')
  })
}

export interface Filling {
  /** Seconds that it took, with the search index. */
  seconds: number
  /** Bytes of each message on disk, with its indexes, and of its part in the search index. */
  messageBytes: number
  searchBytes: number
}

/**
 * Adds messages to public channels of these names, in turn, as if they had been sent one every 10 ms until now. They are in the search
 * index, whose slowest index is made anew at the end. The database needs at least one account, and no server may use it meanwhile.
 */
export function fillMessages (url: string, names: string[], rows: number, onProgress: (rows: number) => void): Promise<Filling> {
  return withClient(url, async client => {
    const began = performance.now()
    const start = Date.now() - rows * GAP_MS
    await client.query(`CREATE TEMP TABLE filled AS
      SELECT place - 1 AS place, parley_new_id() AS id, name FROM unnest($1::text[]) WITH ORDINALITY AS n (name, place)`, [names])
    await client.query(`INSERT INTO "Channel" (id, name, "lastSeq", "lastMessageAt")
      SELECT id, name, ($1::bigint - place - 1) / $2 + 1, now() FROM filled`, [rows, names.length])
    const { rows: [index] } = await client.query<{ indexdef: string }>('SELECT indexdef FROM pg_indexes WHERE indexname = $1', [INDEX])
    await client.query(`DROP INDEX "${INDEX}"`)
    for (let from = 0; from < rows; from += ROWS_AT_ONCE) {
      await client.query(INSERT, [from, Math.min(rows, from + ROWS_AT_ONCE) - 1, names.length, start])
      onProgress(Math.min(rows, from + ROWS_AT_ONCE))
    }
    await client.query(index!.indexdef)
    await client.query('INSERT INTO "SearchPosition" ("channelId", seq, turn) SELECT id, "lastSeq", 0 FROM "Channel" WHERE "lastSeq" > 0')
    await client.query('UPDATE "SearchState" SET backfill = NULL, "nextPlace" = $1', [rows])
    await client.query('VACUUM ANALYZE')
    // Otherwise PostgreSQL would still write these rows to the disk while the messages after them are measured.
    await client.query('CHECKPOINT')
    const { rows: [size] } = await client.query<Record<'message' | 'search', string>>(
      'SELECT pg_total_relation_size(\'"Message"\') AS message, pg_total_relation_size(\'"SearchEntry"\') AS search')
    const seconds = (performance.now() - began) / 1000
    return { seconds, messageBytes: Number(size!.message) / rows, searchBytes: Number(size!.search) / rows }
  })
}

/** $1 and $2: the first and the last message, $3: the number of channels, $4: the time of the message 0 in milliseconds. */
const INSERT = `
  WITH line AS MATERIALIZED (
    SELECT g.n, f.id AS channel, g.n / $3::int + 1 AS seq, $4::bigint + g.n * ${GAP_MS} AS ms, md5(g.n::text) AS noise,
      'this is a line of talk about topic' || g.n % 997 || ' and matter' || g.n % 4999 || ' of here' AS content
    FROM generate_series($1::bigint, $2::bigint) AS g (n) JOIN filled f ON f.place = g.n % $3::int
  ), author AS MATERIALIZED (
    SELECT array_agg(a.id) AS ids FROM (SELECT id FROM "User" ORDER BY id LIMIT ${AUTHORS}) a
  ), stored AS (
    INSERT INTO "Message" ("channelId", seq, id, "userId", content, "createdAt")
    SELECT l.channel, l.seq, (lpad(to_hex(l.ms), 12, '0') || '7' || left(l.noise, 3) || '8' || substr(l.noise, 4, 15))::uuid,
      author.ids[1 + l.n % cardinality(author.ids)], l.content, to_timestamp(l.ms / 1000.0) FROM line l, author ORDER BY l.n
  )
  INSERT INTO "SearchEntry" ("channelId", seq, place, words)
  SELECT l.channel, l.seq, l.n, parley_search_words(l.n, l.channel, 'public', l.content) FROM line l ORDER BY l.n`

async function withClient<T> (url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

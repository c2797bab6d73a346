import pg from 'pg'
import { readDatabaseUrl } from '../../src/database-url.ts'
import { Pool } from '../../src/store/pool.ts'
import { reserveConnection } from '../../src/store/reserved-connection.ts'
import { eventually } from '../eventually.ts'
import { administrate } from '../helper.ts'
import { t, type Test } from '../tap.ts'

const url = process.env.TEST_DATABASE_URL ?? ''
const PID = 'SELECT pg_backend_pid() AS pid'

function open (t: Test, { max = 3, rest = 60_000 }: { max?: number, rest?: number } = {}) {
  const pool = new Pool({ target: readDatabaseUrl(url), size: max, timeout: 5000, onShrunk: () => {} })
  const { query, close } = reserveConnection(pool, rest)
  t.teardown(async () => {
    close()
    await pool.end()
  })
  return { pool, query, close, pid: async (): Promise<number> => (await query<{ pid: number }>(PID, []))[0]!.pid }
}

/** Starts a statement that runs until `release` is called. Resolves when the statement has begun. */
async function hold (t: Test, query: ReturnType<typeof open>['query']) {
  const key = Math.floor(Math.random() * 2 ** 31)
  const holder = new pg.Client(url)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('SELECT pg_advisory_lock($1)', [key])
  const held = query('SELECT pg_advisory_xact_lock($1)', [key]).then(() => 'done', () => 'failed')
  await eventually(async () => {
    const { rowCount } = await holder.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted", [key])
    return rowCount === 1
  })
  return { held, release: () => holder.query('SELECT pg_advisory_unlock($1)', [key]) }
}

t.test('statements one after another use the same connection, also while the pool has no other free connection', async t => {
  const { pool, pid } = open(t, { max: 2 })
  const first = await pid()
  const other = await pool.connect()
  t.equal(await pid(), first)
  other.release()
  t.equal(pool.totalCount, 2)
})

t.test('statements at the same time do not wait for each other', async t => {
  const { query, pid } = open(t)
  const first = await pid()
  const { held, release } = await hold(t, query)
  t.not(await pid(), first)
  await release()
  t.equal(await held, 'done')
  t.equal(await pid(), first)
})

t.test('the only connection of a pool is not kept', async t => {
  const { pool, pid } = open(t, { max: 1 })
  const first = await pid()
  const { rows } = await pool.query(PID)
  t.equal(rows[0].pid, first)
})

t.test('a failed statement closes its connection and affects no other statement', async t => {
  const { pool, query, pid } = open(t)
  const first = await pid()
  await t.rejects(query('SELECT 1 / $1::int', [0]), /division by zero/)
  t.equal(pool.totalCount, 0)
  t.not(await pid(), first)
})

t.test('an idle connection that breaks is replaced before it is used', async t => {
  const { pool, pid } = open(t)
  const first = await pid()
  await administrate(url, `SELECT pg_terminate_backend(${first})`)
  await eventually(() => pool.totalCount === 0)
  t.not(await pid(), first)
})

t.test('a connection that breaks in use fails only its running statement', async t => {
  const { query, pid } = open(t)
  const first = await pid()
  const { held } = await hold(t, query)
  await administrate(url, `SELECT pg_terminate_backend(${first})`)
  t.equal(await held, 'failed')
  t.not(await pid(), first)
})

t.test('a connection that is unused for a while is given back, and the next statement has another', async t => {
  const { pool, pid } = open(t, { rest: 50 })
  const first = await pid()
  await eventually(() => pool.totalCount === 0)
  t.not(await pid(), first)
  await eventually(() => pool.totalCount === 0)
})

t.test('a statement that runs longer than the idle time keeps its connection', async t => {
  const { query } = open(t, { rest: 50 })
  t.same(await query('SELECT pg_sleep($1) IS NULL AS done', [0.3]), [{ done: false }])
})

t.test('closing waits for the running statement, and then the pool can end', async t => {
  const { pool, query, close } = open(t)
  const { held, release } = await hold(t, query)
  close()
  await release()
  t.equal(await held, 'done')
  t.equal(pool.totalCount, 0)
})

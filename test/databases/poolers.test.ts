import { loadConfig } from '../../src/config.ts'
import { readDatabaseUrl } from '../../src/database-url.ts'
import { openDatabase } from '../../src/store/client.ts'
import { Pool } from '../../src/store/pool.ts'
import { createDatabase, startServer } from '../helper.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { t } from '../tap.ts'
import { converse, emptyDatabase, migrate, run, startPair } from './conversation.ts'

for (const mode of ['session', 'transaction'] as const) {
  t.test(`[G19] instances that start at once behind PgBouncer in ${mode} mode migrate once`, async t => {
    const url = await startPgBouncer(t, await emptyDatabase(t), mode)
    const applied = (await Promise.all(Array.from({ length: 4 }, () => migrate(url)))).flat()
    t.equal(new Set(applied).size, applied.length, 'no migration is applied twice')
    t.strictSame(await migrate(url), [], 'a later start finds nothing to do')
    await converse(t, await startPair(t, url))
  })
}

t.test('[G19] PgBouncer in transaction mode with fewer connections than clients starves nobody', async t => {
  const url = await startPgBouncer(t, await createDatabase(t), 'transaction', { default_pool_size: '4' })
  await converse(t, await startPair(t, url))
})

t.test('[G19] two instances share 3 sessions of PgBouncer, which leaves further connections without an answer', async t => {
  const url = await startPgBouncer(t, await createDatabase(t), 'session', { default_pool_size: '3' })
  await converse(t, await startPair(t, url))
})

t.test('[G19] no request fails where PgBouncer refuses a connection that has waited long for a session', async t => {
  const url = await startPgBouncer(t, await createDatabase(t), 'session', { default_pool_size: '3', query_wait_timeout: '1' })
  const server = await startServer(t, { databaseUrl: url })
  const ann = await server.enter('ann', 'room')
  const reads = Array.from({ length: 40 }, () => server.call('GET', '/api/channels', { token: ann.person.access_token }))
  t.strictSame(new Set((await Promise.all(reads)).map(({ status }) => status)), new Set([200]))
})

t.test('[G19] statements through PgBouncer leave no setting behind for other clients of the same connection', async t => {
  const url = await startPgBouncer(t, await emptyDatabase(t), 'transaction', { default_pool_size: '1' })
  await run(url, "SET TimeZone = 'Asia/Tokyo'")
  const settings = `SELECT current_setting('lock_timeout') AS lock, current_setting('search_path') AS path,
    current_setting('TimeZone') AS zone`
  const [before] = await run(url, settings)
  await migrate(url)
  await converse(t, await startPair(t, url))
  t.strictSame(await run(url, settings), [before])
})

t.test('[G19] a failed statement through PgBouncer leaves no transaction open, and the next one succeeds', async t => {
  const url = await startPgBouncer(t, await emptyDatabase(t), 'transaction', { default_pool_size: '1' })
  const database = await openDatabase({ ...loadConfig({}).config.database, url })
  t.teardown(() => database.close())
  for (let i = 0; i < 3; i++) {
    await t.rejects(database.query('SELECT 1 / $1::int', [0]), /division by zero/)
    t.strictSame(await database.query('SELECT $1::int AS one', [1]), [{ one: 1 }])
  }
})

t.test('a password that PgBouncer refuses, or that is missing, is one line that says where to look', async t => {
  const url = await startPgBouncer(t, await emptyDatabase(t), 'transaction', { auth_type: 'scram-sha-256' })
  const message = /^database 127\.0\.0\.1:\d+\/\w+: \S.* Does the URL have the right password, percent-encoded\?$/
  await t.rejects(migrate(url.replace('parley@', 'parley:wrong@')), { message })
  await t.rejects(migrate(url), { message })
})

t.test('a pooler in statement mode is refused at the start in one line', async t => {
  const url = await startPgBouncer(t, await emptyDatabase(t), 'statement')
  const message = /^database 127\.0\.0\.1:\d+\/\w+: .*statement pooling.* Set pool_mode of the pooler to transaction or session$/
  await t.rejects(migrate(url), { message })
  // The pooler ends the connection right after its answer, which has to be read every time.
  for (let i = 0; i < 300; i++) {
    const pool = new Pool({ target: readDatabaseUrl(url), size: 1, timeout: 5000, onShrunk: () => {} })
    await t.rejects(pool.query('SELECT 1'), { message: /statement pooling/ })
    await pool.end()
  }
})

t.test('DIRECT_URL is used for migrations alone', async t => {
  const direct = await emptyDatabase(t)
  const url = await startPgBouncer(t, direct, 'transaction')
  const { hostname, port, pathname } = new URL(direct)
  const wrong = `postgresql://parley@${hostname}:1${pathname}`
  await t.rejects(migrate(url, { direct_url: wrong }), { message: /^database 127\.0\.0\.1:1\/\w+: .*ECONNREFUSED/ })
  const tables = "SELECT count(*)::int AS tables FROM information_schema.tables WHERE table_schema = 'public'"
  t.strictSame(await run(direct, tables), [{ tables: 0 }])
  t.ok((await migrate(url, { direct_url: `postgresql://parley@${hostname}:${port}${pathname}` })).length > 0)
})

t.test('a DIRECT_URL that leads elsewhere than DATABASE_URL stops the start with one line', async t => {
  const url = await emptyDatabase(t)
  const schemas = /^DIRECT_URL and DATABASE_URL name different schemas: both must have the same database, the same \?schema=/
  await t.rejects(migrate(`${url}?schema=chat`, { direct_url: url }), { message: schemas })
  t.strictSame(await run(url, "SELECT FROM pg_tables WHERE tablename = 'User'"), [], 'nothing is migrated')
  const tables = /^DATABASE_URL leads to tables that DIRECT_URL has not migrated: both must have the same database/
  await t.rejects(migrate(url, { direct_url: await emptyDatabase(t) }), { message: tables })
})

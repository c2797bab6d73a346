import { openDatabase } from '../../src/store/client.ts'
import { loadConfig } from '../../src/config.ts'
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

t.test('[G19] PgBouncer with fewer connections than clients starves nobody, in either mode', async t => {
  for (const mode of ['session', 'transaction'] as const) {
    const url = await startPgBouncer(t, await emptyDatabase(t), mode, { default_pool_size: '4' })
    await migrate(url)
    await converse(t, await startPair(t, url))
  }
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

t.test('a pooler in statement mode is refused at the start in one line', async t => {
  const url = await startPgBouncer(t, await emptyDatabase(t), 'statement')
  const message = /^database 127\.0\.0\.1:\d+\/\w+: .*statement pooling.* Set pool_mode of the pooler to transaction or session$/
  // The pooler ends the connection right after its answer, which has to be read every time.
  for (let i = 0; i < 200; i++) await t.rejects(migrate(url), { message })
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

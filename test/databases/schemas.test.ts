import { startPgBouncer } from '../pgbouncer.ts'
import { t } from '../tap.ts'
import { converse, createRole, emptyDatabase, migrate, nameOf, run, startPair } from './conversation.ts'

/** Tables of another application. Prisma's own record of migrations is among them. */
const FOREIGN = [
  'CREATE TABLE invoices (id int)',
  `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count int NOT NULL DEFAULT 0)`,
  'INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES (\'1\', \'x\', now(), \'20200101000000_theirs\')'
]
const TABLES = 'SELECT DISTINCT table_schema AS schema FROM information_schema.tables WHERE table_name = \'ChannelUser\''

for (const schema of ['chat', 'Mixed quo"te\'s ünïcode', 'select']) {
  t.test(`everything is in the schema ${schema} if the URL names it`, async t => {
    const url = await emptyDatabase(t)
    const named = `${url}?schema=${encodeURIComponent(schema)}`
    t.ok((await migrate(named)).length > 0)
    t.strictSame(await migrate(named), [], 'a second start finds the migrations')
    await converse(t, await startPair(t, named))
    t.strictSame(await run(url, TABLES), [{ schema }])
    const functions = "SELECT DISTINCT pronamespace::regnamespace::text FROM pg_proc WHERE proname LIKE 'parley%'"
    t.equal((await run(url, functions)).length, 1)
  })
}

t.test('two installations in two schemas of one database do not see each other, also through PgBouncer in transaction mode', async t => {
  const url = await emptyDatabase(t)
  const pooled = await startPgBouncer(t, url, 'transaction')
  for (const schema of ['one', 'two']) await migrate(`${pooled}?schema=${schema}`)
  await Promise.all(['one', 'two'].map(async schema => converse(t, await startPair(t, `${pooled}?schema=${schema}`))))
  for (const schema of ['one', 'two']) t.strictSame(await run(url, `SELECT count(*)::int AS users FROM ${schema}."User"`), [{ users: 2 }])
})

t.test('the search_path of a role is ignored: without a schema in the URL, everything is in public', async t => {
  const url = await emptyDatabase(t)
  await run(url, 'CREATE SCHEMA elsewhere', `ALTER DATABASE ${nameOf(url)} SET search_path = elsewhere, public`)
  await migrate(url)
  await converse(t, await startPair(t, url))
  t.strictSame(await run(url, TABLES), [{ schema: 'public' }])
})

t.test('tables of another application in the same schema are no obstacle', async t => {
  const url = await emptyDatabase(t)
  await run(url, ...FOREIGN)
  t.ok((await migrate(url)).length > 0)
  t.strictSame(await migrate(url), [])
  await converse(t, await startPair(t, url))
})

t.test('a migration of another application that has failed stays recorded as failed', async t => {
  const url = await emptyDatabase(t)
  await run(url, ...FOREIGN, 'UPDATE _prisma_migrations SET finished_at = NULL')
  await migrate(url)
  const left = "SELECT FROM _prisma_migrations WHERE id = '1' AND rolled_back_at IS NULL"
  t.equal((await run(url, left)).length, 1)
})

t.test('a record of migrations that is no record of Prisma, or that the role may not read, stops the start with one line', async t => {
  const owner = await emptyDatabase(t)
  const url = await createRole(t, owner)
  await run(owner, ...FOREIGN)
  await t.rejects(migrate(url), { message: /^the record of migrations cannot be read: permission denied .*\. Grant the role SELECT/ })
  await run(owner, 'DROP TABLE _prisma_migrations', 'CREATE TABLE _prisma_migrations (id int)')
  await t.rejects(migrate(owner), { message: /^the record of migrations cannot be read: column .*\?schema=parley to DATABASE_URL$/ })
})

t.test('a role that may not use the schema gets one line that says what to grant, and no temporary tables', async t => {
  const owner = await emptyDatabase(t)
  const url = await createRole(t, owner)
  await run(owner, 'REVOKE ALL ON SCHEMA public FROM PUBLIC', 'CREATE SCHEMA own')
  const reason = (schema: string) => ({
    message: new RegExp(`^migration 20261101000000_init failed: permission denied for schema ${schema}\\. Grant the role CREATE and USAGE`)
  })
  await t.rejects(migrate(url), reason('public'))
  await t.rejects(migrate(`${url}?schema=own`), reason('own'))
})

t.test('a table of another application with the name of one of ours stops the start with one line, and changes nothing', async t => {
  const url = await emptyDatabase(t)
  await run(url, 'CREATE TABLE "User" (id int)')
  await t.rejects(migrate(url), { message: /^migration \w+ failed: relation "User" already exists\. .*\?schema=parley/ })
  t.strictSame(await run(url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"), [{ table_name: 'User' }])
  t.ok((await migrate(`${url}?schema=parley`)).length > 0, 'as the line says, a schema of its own helps')
})

t.test('a role that may create nothing gets one line that says what to grant; an existing schema of its own is enough', async t => {
  const owner = await emptyDatabase(t)
  const url = await createRole(t, owner)
  await run(owner, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  await t.rejects(migrate(url), { message: /permission denied for schema public\. Grant the role CREATE/ })
  await t.rejects(migrate(`${url}?schema=own`), { message: /permission denied for database \w+\. Grant the role CREATE/ })
  await run(owner, `CREATE SCHEMA own AUTHORIZATION ${nameOf(owner)}`)
  t.ok((await migrate(`${url}?schema=own`)).length > 0)
})

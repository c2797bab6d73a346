import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSource } from '../../scripts/transfer.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase, type Database } from '../../src/store/client.ts'
import { migrationFiles, readMigrations } from '../../src/store/migrate.ts'
import { createDataDirectory } from '../embedded.ts'
import { launch } from '../faults/process.ts'
import { createDatabase, redis } from '../helper.ts'
import { operate } from '../operator/operate.ts'
import { backup, database as script } from '../scripts/run.ts'
import { t, type Test } from '../tap.ts'

const NEWER = '99991231000000_of_a_later_release'
const RECORD_NEWER = `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('later', 'x', now(), '${NEWER}')`
const OTHER = '20200101000000_of_another_application'
const EDITED = readMigrations()[1]!.name
const CHANGE_RECORDED = `UPDATE _prisma_migrations SET checksum = 'of another text' WHERE migration_name = '${EDITED}'`

const newer = `the database is newer than this release, which does not know migration ${NEWER}\\. [^\\n]*`
const edited = `migration ${EDITED} changed after the database was migrated with it\\. [^\\n]*`
const message = (text: string) => new RegExp(`^${text}$`)
const line = (text: string) => new RegExp(`^parley: ${text}\\n$`)

/** The settings of a PostgreSQL and of an embedded database, both with all migrations. */
async function environments (t: Test): Promise<[Record<string, string>, Record<string, string>]> {
  return [{ DATABASE_URL: await createDatabase(t) }, { PARLEY_DATA_DIR: await createDataDirectory(t) }]
}

const options = (env: Record<string, string>) => loadConfig(env).config.database

/** Opens the database of these settings, and closes it before it resolves: only one process at a time may use an embedded one. */
async function use<T> (env: Record<string, string>, act: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(options(env))
  try {
    return await act(database)
  } finally {
    await database.close()
  }
}

const change = (env: Record<string, string>, statement: string): Promise<unknown> => use(env, ({ query }) => query(statement, []))

t.test('no migration was edited since its hash was recorded in prisma/migrations/SHA256SUMS', t => {
  const recorded = readFileSync(join(migrationFiles().directory, 'SHA256SUMS'), 'utf8').trim().split('\n').sort()
  const found = readMigrations().map(({ name, checksum }) => `${checksum}  ${name}/migration.sql`).sort()
  t.strictSame(found, recorded, 'only a migration that is in no release may be edited: see "The data model" in CONTRIBUTING.md')
  t.end()
})

for (const [state, statement, reason] of [['is newer', RECORD_NEWER, newer], ['has other migrations', CHANGE_RECORDED, edited]] as const) {
  t.test(`a database that ${state} is refused by what servers and commands do first, and is left as it is`, async t => {
    const [postgres, embedded] = await environments(t)
    for (const env of [postgres, embedded]) {
      await use(env, async ({ query, migrate, migrationStatus }) => {
        await query(statement, [])
        await t.rejects(migrate(), { message: message(reason) })
        t.match(await migrationStatus(), { refusal: message(reason), pending: [] })
      })
    }
    const source = openSource(options({ ...postgres, DATABASE_ALLOW_NEWER: 'true' }))
    await t.rejects(source, { message: message(reason) }, 'no backup or copy is made of it')
  })
}

t.test('a server or a command that refuses a database prints the reason as its only line', async t => {
  const [postgres, embedded] = await environments(t)
  await change(postgres, CHANGE_RECORDED)
  await change(embedded, RECORD_NEWER)
  const server = launch(t, { env: embedded })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(server.output(), line(newer))
  t.match(await script(embedded, 'status'), { code: 1, stdout: `unknown  ${NEWER}\n`, stderr: line(newer) })
  t.match(await script(postgres, 'migrate'), { code: 1, stdout: '', stderr: line(edited) })
  t.match(await script(postgres, 'status'), { code: 1, stdout: `edited   ${EDITED}\n`, stderr: line(edited) })
  t.match(await backup(postgres, join(t.testdir(), 'backup.gz')), { code: 1, stdout: '', stderr: line(edited) })
})

t.test('with WEB_CONCURRENCY, a database is refused once', async t => {
  const env = { DATABASE_URL: await createDatabase(t), REDIS_URL: redis().url!, WEB_CONCURRENCY: '2' }
  await change(env, RECORD_NEWER)
  const server = launch(t, { env })
  t.same(await server.exited, { code: 1, signal: null })
  t.match(server.output(), line(newer))
})

t.test('DATABASE_ALLOW_NEWER accepts a newer database, but not one with other migrations', async t => {
  for (const env of await environments(t)) {
    await use({ ...env, DATABASE_ALLOW_NEWER: 'true' }, async ({ query, migrate }) => {
      await query(RECORD_NEWER, [])
      t.strictSame(await migrate(), [])
      await query(CHANGE_RECORDED, [])
      await t.rejects(migrate(), { message: message(edited) })
    })
  }
})

t.test('a database with migrations of another application is up to date, and no backup is made of it', async t => {
  const [postgres, embedded] = await environments(t)
  for (const env of [postgres, embedded]) {
    await use(env, async database => {
      await database.query(RECORD_NEWER.replace(NEWER, OTHER), [])
      t.equal(await operate(database, 'status'), `unknown  ${OTHER}\nup to date\n`)
    })
  }
  await t.rejects(openSource(options(postgres)), { message: new RegExp(`^another application .*${OTHER}`) })
})

t.test('a newer database gets no migration that it lacks', async t => {
  for (const env of await environments(t)) {
    await use(env, async ({ query, migrate, migrationStatus }) => {
      const { name } = readMigrations().at(-1)!
      await query('DELETE FROM _prisma_migrations WHERE migration_name = $1', [name])
      await query(RECORD_NEWER, [])
      await t.rejects(migrate(), { message: message(newer) })
      t.match(await migrationStatus(), { pending: [name], unknown: [NEWER] })
    })
  }
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import { openDatabase, type Database } from '../../src/store/client.ts'
import { migrationFiles, readMigrations } from '../../src/store/migrate.ts'
import { createDataDirectory } from '../embedded.ts'
import { launch } from '../faults/process.ts'
import { createDatabase, redis } from '../helper.ts'
import { backup, database as script } from '../scripts/run.ts'
import { t, type Test } from '../tap.ts'

// Starts of several processes take long on a busy machine.
t.setTimeout(300_000)

const NEWER = '99991231000000_of_a_later_release'
const RECORD_NEWER = `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ('later', 'x', now(), '${NEWER}')`
const OTHER = '20200101000000_of_another_application'
const EDITED = readMigrations()[1]!.name
const CHANGE_RECORDED = `UPDATE _prisma_migrations SET checksum = 'of another text' WHERE migration_name = '${EDITED}'`

const newerLine = new RegExp(`^parley: the database is newer than this release, which does not know migration ${NEWER}\\. [^\\n]*\\n$`)
const editedLine = new RegExp(`^parley: migration ${EDITED} changed after the database was migrated with it\\. [^\\n]*\\n$`)

/** The settings of a PostgreSQL and of an embedded database, both with all migrations. */
async function environments (t: Test): Promise<Array<Record<string, string>>> {
  return [{ DATABASE_URL: await createDatabase(t) }, { PARLEY_DATA_DIR: await createDataDirectory(t) }]
}

/** Opens the database of these settings, and closes it before it resolves: only one process at a time may use an embedded one. */
async function use<T> (env: Record<string, string>, act: (database: Database) => Promise<T>): Promise<T> {
  const database = await openDatabase(loadConfig(env).config.database)
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

for (const [state, statement, line] of [
  ['is newer', RECORD_NEWER, newerLine],
  ['has other migrations', CHANGE_RECORDED, editedLine]
] as const) {
  t.test(`a database that ${state} is refused with one line, by the server and by each command, and is left as it is`, async t => {
    for (const env of await environments(t)) {
      await change(env, statement)
      const server = launch(t, { env })
      t.same(await server.exited, { code: 1, signal: null })
      t.match(server.output(), line)
      const migrate = await script(env, 'migrate')
      t.match(migrate, { code: 1, stdout: '', stderr: line })
      const status = await script(env, 'status')
      t.match(status, { code: 1, stdout: state === 'is newer' ? `unknown  ${NEWER}\n` : `edited   ${EDITED}\n`, stderr: line })
      const copied = await backup({ ...env, DATABASE_ALLOW_NEWER: 'true' }, join(t.testdir(), 'backup.gz'))
      t.match(copied, { code: 1, stdout: '', stderr: line })
    }
  })

  t.test(`with WEB_CONCURRENCY, a database that ${state} is refused once`, async t => {
    const env = { DATABASE_URL: await createDatabase(t), REDIS_URL: redis().url!, WEB_CONCURRENCY: '2' }
    await change(env, statement)
    const server = launch(t, { env })
    t.same(await server.exited, { code: 1, signal: null })
    t.match(server.output(), line)
  })
}

t.test('DATABASE_ALLOW_NEWER accepts a newer database, but not one with other migrations', async t => {
  for (const env of await environments(t)) {
    await change(env, RECORD_NEWER)
    const allowing = { ...env, DATABASE_ALLOW_NEWER: 'true' }
    t.strictSame(await use(allowing, database => database.migrate()), [])
    await change(env, CHANGE_RECORDED)
    await t.rejects(use(allowing, database => database.migrate()), { message: /changed after the database was migrated/ })
  }
})

t.test('a database with migrations of another application is up to date, and no backup is made of it', async t => {
  for (const env of await environments(t)) {
    await change(env, RECORD_NEWER.replace(NEWER, OTHER))
    t.match(await script(env, 'status'), { code: 0, stdout: `unknown  ${OTHER}\nup to date\n`, stderr: '' })
    t.match(await backup(env, join(t.testdir(), 'backup.gz')), { code: 1, stderr: new RegExp(`^parley: another application .*${OTHER}`) })
  }
})

t.test('a newer database gets no migration that it lacks', async t => {
  for (const env of await environments(t)) {
    const { name } = readMigrations().at(-1)!
    await change(env, `DELETE FROM _prisma_migrations WHERE migration_name = '${name}'`)
    await change(env, RECORD_NEWER)
    await t.rejects(use(env, database => database.migrate()), { message: /is newer/ })
    t.match(await use(env, database => database.migrationStatus()), { pending: [name], unknown: [NEWER] })
  }
})

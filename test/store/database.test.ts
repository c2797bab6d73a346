import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { changedFunctions } from '../../scripts/functions.ts'
import { diffMigrations } from '../../scripts/schema-diff.ts'
import { placeOf } from '../../src/connection-url.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createDataDirectory } from '../embedded.ts'
import { t } from '../tap.ts'

const embedded = (directory: string) => ({ data_dir: directory, pool_size: 10, pool_timeout: 5, allow_newer: false })
const server = (url: string) => ({ ...embedded('unused'), url })

function temporaryDirectory (): string {
  const directory = mkdtempSync(join(tmpdir(), 'parley-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function emptyDatabase (): Promise<string> {
  const url = new URL(process.env.TEST_DATABASE_URL!)
  const client = new pg.Client({ connectionString: url.href })
  await client.connect()
  url.pathname = `/empty_${randomUUID().replaceAll('-', '')}`
  await client.query(`CREATE DATABASE ${url.pathname.slice(1)}`)
  await client.end()
  return url.href
}

t.test('prisma/migrations produce the schema of prisma/schema.prisma', async t => {
  t.equal(await diffMigrations(), null)
})

t.test('prisma/migrations define every function as prisma/functions does', async t => {
  t.equal(changedFunctions(), '')
})

t.test('several instances that start at once on one PostgreSQL migrate it once', async t => {
  const url = await emptyDatabase()
  const databases = await Promise.all(Array.from({ length: 4 }, () => openDatabase(server(url))))
  t.teardown(() => Promise.all(databases.map(database => database.close())))
  const { pending } = await databases[0]!.migrationStatus()
  t.ok(pending.length > 0)
  const applied = await Promise.all(databases.map(database => database.migrate()))
  t.strictSame(applied.flat().sort(), pending, 'each migration is applied by one of them')
  t.strictSame(await databases[0]!.migrationStatus(), { pending: [], unknown: [], failed: [], edited: [], refusal: undefined })
})

t.test('a database session uses UTC and has time limits, whatever the settings of the database are', async t => {
  const url = await emptyDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`ALTER DATABASE ${placeOf(url).split('/')[1]} SET TimeZone = 'America/New_York'`)
  await client.end()
  const database = await openDatabase(server(url))
  t.teardown(() => database.close())
  const [row] = await database.prisma.$queryRaw<[Record<string, string>]>`SELECT current_setting('TimeZone') AS zone,
    current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
    current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('application_name') AS name`
  t.strictSame(row, { zone: 'UTC', lock: '1s', statement: '5s', idle: '5s', name: 'parley' })
})

t.test('the error about an unreachable database names it without its password', async t => {
  const error: Error = await openDatabase(server('postgresql://someone:hidden@127.0.0.1:1/parley')).catch(caught => caught)
  t.match(error.message, /^database 127\.0\.0\.1:1\/parley: .*ECONNREFUSED/)
  t.notMatch(error.message, /hidden/)
})

t.test('only one process at a time can open a data directory, which keeps its data', async t => {
  // The path is longer than the name of a Unix socket may be.
  const folder = join(temporaryDirectory(), 'deep'.repeat(30))
  mkdirSync(folder)
  const directory = await createDataDirectory(t, folder)
  const first = await openDatabase(embedded(directory))
  await t.rejects(openDatabase(embedded(directory)), /in use by another Parley process/)
  const { id } = await first.prisma.user.create({ data: { name: 'someone' } })
  await first.close()

  const second = await openDatabase(embedded(directory))
  t.teardown(() => second.close())
  t.strictSame(await second.migrate(), [])
  t.equal((await second.prisma.user.findUniqueOrThrow({ where: { id } })).name, 'someone')
})

t.test('only its owner can read a data directory that was made by opening it', async t => {
  await createDataDirectory(t)
  // Opening it made the directory of which that is a copy.
  t.equal(statSync(process.env.TEST_EMBEDDED_TEMPLATE!).mode & 0o777, 0o700)
})

t.test('a start that was killed while it made the embedded database is no obstacle; files that are no database are left alone', async t => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'pglite.new'))
  writeFileSync(join(directory, 'pglite.new', 'PG_VERSION'), '')
  await (await openDatabase(embedded(directory))).close()
  t.notOk(existsSync(join(directory, 'pglite.new')))

  const other = temporaryDirectory()
  mkdirSync(join(other, 'pglite'))
  writeFileSync(join(other, 'pglite', 'letter'), 'Dear reader')
  await t.rejects(openDatabase(embedded(other)), /pglite has no database, but it is there: move it away/)
  t.strictSame(readdirSync(join(other, 'pglite')), ['letter'])
})

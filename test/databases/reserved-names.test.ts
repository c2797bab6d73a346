import pg from 'pg'
import { uuidv7 } from 'uuidv7'
import { readMigrations } from '../../src/store/migrate.ts'
import { t } from '../tap.ts'
import { emptyDatabase, migrate, run } from './conversation.ts'

const long = `direct-${'x'.repeat(57)}`

/** Prisma's own record of migrations. */
const RECORD = `CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count int NOT NULL DEFAULT 0)`
const RECORDED = 'INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES ($1, $2, now(), $3)'
const CHANNEL = 'INSERT INTO "Channel" (id, name, "userCount") VALUES ($1, $2, $3)'

/** Names of channels of the release before direct channels, in the order of their ids, with their names after the migration. */
const renamed = {
  'direct-talk': 'was-direct-talk-2',
  'was-direct-talk': 'was-direct-talk',
  'direct-': 'was-direct-',
  [long]: `was-direct-${'x'.repeat(53)}`,
  [`${long.slice(0, -1)}y`]: `was-direct-${'x'.repeat(51)}-2`,
  general: 'general',
  directions: 'directions'
}

t.test('[P47] the migration that reserves the names direct-… gives channels that have one a free name that fits', async t => {
  const url = await emptyDatabase(t)
  const migrations = readMigrations()
  const before = migrations.slice(0, migrations.findIndex(({ name }) => name.endsWith('_directs_and_blocks')))
  // Each migration is a transaction of its own, as at a start.
  for (const { sql } of before) await run(url, sql)
  await run(url, RECORD)
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  for (const [i, { name, checksum }] of before.entries()) await client.query(RECORDED, [i, checksum, name])
  for (const [i, name] of Object.keys(renamed).entries()) await client.query(CHANNEL, [uuidv7(), name, i])
  t.same((await migrate(url))[0], migrations[before.length]!.name)
  const { rows } = await client.query('SELECT name FROM "Channel" ORDER BY "userCount"')
  t.same(rows.map(({ name }) => name), Object.values(renamed))
  t.ok(rows.every(({ name }) => name.length <= 64))
})

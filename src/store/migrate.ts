import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseError, reasonOf } from './database-error.ts'
import type { Query } from './client.ts'

/** How migrations reach a database. */
interface MigrationTarget {
  query: Query
  /** Runs statements in one transaction, however long they take. */
  runScript (script: string): Promise<unknown>
  /** The statements that every migration begins with. */
  preamble: string
  /** Whether a database is accepted that a newer release has migrated. */
  allowNewer: boolean
}

/** How the record of a database differs from prisma/migrations. */
interface Differences {
  /** Names of the migrations that the database still lacks, in order. */
  pending: string[]
  /** Migrations that are applied but not in prisma/migrations: those of a newer release, or of another application with the same record. */
  unknown: string[]
  /** Migrations that began and did not finish. */
  failed: string[]
  /** Migrations whose files changed after they were applied. */
  edited: string[]
}

export interface MigrationStatus extends Differences {
  /** Why this code may not use the database, and what to do, in one line; undefined if it may. */
  refusal: string | undefined
}

interface Migration { name: string, sql: string, checksum: string }

/** A line of `_prisma_migrations`, Prisma's own record, so that `prisma migrate deploy` can be used as well. */
interface Applied { migration_name: string, checksum: string, finished: boolean }

/** SQLSTATE by which a migration ends that another instance has applied in the meantime. */
const ALREADY_APPLIED = 'PA001'

const CREATE_RECORD = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`

/**
 * Applies the missing migrations and returns the names of those that this call applied. Each is one transaction together with its record,
 * so a migration that failed or was killed has changed nothing and runs again. Several instances may do so at the same time.
 * @throws DatabaseError before anything is changed, if a newer release or other files have migrated the database.
 */
export async function applyMigrations (target: MigrationTarget): Promise<string[]> {
  const migrations = readMigrations()
  const { pending, refusal } = statusOf(migrations, await readRecord(target.query), target.allowNewer)
  if (refusal !== undefined) throw new DatabaseError(refusal)
  const applied: string[] = []
  for (const migration of migrations) {
    if (pending.includes(migration.name) && await apply(migration, target)) applied.push(migration.name)
  }
  return applied
}

/** Says why this code may not use the database, and what to do. */
function refusalOf ({ edited, unknown, pending }: Differences, migrations: Migration[], allowNewer: boolean): string | undefined {
  if (edited.length > 0) {
    return `${nameSome(edited)} changed after the database was migrated with it. Start the release that migrated it, or use a new` +
      ' database (PARLEY_DATA_DIR or DATABASE_URL)'
  }
  // Another application of Prisma may use the same record. If it was there before Parley, nobody can tell whose an unknown migration is.
  const isForeign = pending.length === migrations.length || unknown.some(name => name < migrations[0]!.name)
  if (unknown.length === 0 || isForeign || allowNewer) return undefined
  return `the database is newer than this release, which does not know ${nameSome(unknown)}. Start the release that migrated it, or a` +
    ' later one. To go back by one release, start the server with DATABASE_ALLOW_NEWER=true'
}

/** Names the last of some migrations, because a line has no room for all. */
function nameSome (names: string[]): string {
  const others = names.length - 1
  return `migration ${names.at(-1)}${others === 0 ? '' : ` (and ${others} more)`}`
}

/** @returns false if another instance has applied the migration in the meantime. */
async function apply ({ name, sql, checksum }: Migration, { preamble, runScript }: MigrationTarget): Promise<boolean> {
  try {
    await runScript(`${preamble}
      ${CREATE_RECORD};
      DO $parley$ BEGIN
        IF EXISTS (SELECT FROM _prisma_migrations
          WHERE migration_name = '${name}' AND finished_at IS NOT NULL AND rolled_back_at IS NULL) THEN
          RAISE EXCEPTION USING ERRCODE = '${ALREADY_APPLIED}', MESSAGE = 'already applied';
        END IF;
      END $parley$;
      UPDATE _prisma_migrations SET rolled_back_at = now()
        WHERE migration_name = '${name}' AND finished_at IS NULL AND rolled_back_at IS NULL;
      ${sql};
      INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
        VALUES ('${randomUUID()}', '${checksum}', '${name}', clock_timestamp(), 1)`)
    return true
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === ALREADY_APPLIED) return false
    throw new DatabaseError(`migration ${name} failed: ${reasonOf(error)}${HINTS[code ?? ''] ?? ''}`)
  }
}

const OCCUPIED = '. Another application uses this schema: add ?schema=parley to DATABASE_URL'
/** What the operator can do about an error of a migration, by its SQLSTATE. */
const HINTS: Record<string, string> = {
  '42P07': OCCUPIED,
  42710: OCCUPIED,
  42501: '. Grant the role CREATE and USAGE on the schema, or name a schema of its own with ?schema=parley in DATABASE_URL',
  '55P03': '. Another session holds a lock on Parley’s tables: end it (pg_stat_activity shows it), then start again'
}

/** What the operator can do about a record that cannot be read, by its SQLSTATE. */
const RECORD_HINTS: Record<string, string> = {
  42501: '. Grant the role SELECT, INSERT, UPDATE and DELETE on Parley’s tables. If it is another application’s, add ?schema=parley',
  42703: OCCUPIED
}

/** Checks whether all migrations are applied. It ignores checksums: a database stays usable when a migration's file is edited later. */
export async function isMigrated (query: Query): Promise<boolean> {
  return (await readMigrationStatus({ query, allowNewer: true })).pending.length === 0
}

export async function readMigrationStatus ({ query, allowNewer }: Pick<MigrationTarget, 'query' | 'allowNewer'>): Promise<MigrationStatus> {
  return statusOf(readMigrations(), await readRecord(query), allowNewer)
}

function statusOf (migrations: Migration[], recorded: Applied[], allowNewer: boolean): MigrationStatus {
  const applied = new Map(recorded.filter(({ finished }) => finished).map(row => [row.migration_name, row.checksum]))
  const known = new Set(migrations.map(({ name }) => name))
  const differences = {
    pending: migrations.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    unknown: [...applied.keys()].filter(name => !known.has(name)),
    failed: recorded.filter(row => !row.finished && !applied.has(row.migration_name)).map(row => row.migration_name),
    edited: migrations.filter(({ name, checksum }) => applied.has(name) && applied.get(name) !== checksum).map(({ name }) => name)
  }
  return { ...differences, refusal: refusalOf(differences, migrations, allowNewer) }
}

async function readRecord (query: Query): Promise<Applied[]> {
  const [table] = await query<{ exists: boolean }>("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists", [])
  if (!table!.exists) return []
  try {
    return await query<Applied>(`SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
      FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`, [])
  } catch (error) {
    const hint = RECORD_HINTS[(error as { code?: string }).code ?? '']
    throw hint === undefined ? error : new DatabaseError(`the record of migrations cannot be read: ${reasonOf(error)}${hint}`)
  }
}

/** Returns all migrations in order. */
export function readMigrations (): Migration[] {
  const { directory } = migrationFiles()
  const names = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
  return names.map(name => {
    const sql = readFileSync(join(directory, name, 'migration.sql'), 'utf8')
    return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
  })
}

/** Finds prisma/migrations and the schema's text, both from the sources and from dist/. */
export function migrationFiles (): { directory: string, schema: string } {
  let root = import.meta.dirname
  while (!existsSync(join(root, 'prisma/schema.prisma'))) {
    if (root === dirname(root)) throw new DatabaseError('prisma/schema.prisma is missing')
    root = dirname(root)
  }
  return { directory: join(root, 'prisma/migrations'), schema: readFileSync(join(root, 'prisma/schema.prisma'), 'utf8') }
}

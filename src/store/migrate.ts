import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { bindMigrationAwareSqlAdapterFactory, DriverAdapterError, type SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import { DatabaseError } from './database-error.ts'
import type { Query } from './client.ts'

/** How Prisma's schema engine reaches a database. The adapter's `executeScript` runs a whole script in one transaction. */
export interface MigrationTarget {
  connect (): Promise<SqlDriverAdapter>
  /** Opens an empty database in which the engine replays migrations. Only the creation of a migration needs it. */
  connectToShadowDb (): Promise<SqlDriverAdapter>
}

export interface MigrationStatus {
  /** Names of the migrations that the database still lacks, in order. */
  pending: string[]
  /** Migrations that are applied but not in prisma/migrations: the database is newer than this code. */
  unknown: string[]
  /** Migrations that began and did not finish. */
  failed: string[]
  /** Migrations whose files changed after they were applied. */
  edited: string[]
}

const filters = { externalTables: [], externalEnums: [] }
const APPLIED = 'FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL'

/**
 * Applies the missing migrations and returns their names, as Prisma's `migrate deploy` would. Each script runs in one transaction, so a
 * script that failed or was killed has changed nothing and runs again.
 */
export async function applyMigrations (target: MigrationTarget): Promise<string[]> {
  if (await isUpToDate(target)) return []
  const engine = await openEngine(target)
  try {
    const { failedMigrationNames } = await diagnose(engine)
    for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName })
    return (await engine.applyMigrations({ migrationsList: migrationsList(), filters })).appliedMigrationNames
  } catch (error) {
    throw new DatabaseError(`migrations failed: ${oneLine(error)}`)
  } finally {
    engine.free()
  }
}

/** Checks whether all migrations are applied, as at nearly every start, to avoid loading the engine (a quarter of a second, and memory). */
async function isUpToDate (target: MigrationTarget): Promise<boolean> {
  const adapter = await target.connect()
  const query = async (sql: string) => (await adapter.queryRaw({ sql, args: [], argTypes: [] })).rows
  try {
    const [[exists] = []] = await query('SELECT to_regclass($$_prisma_migrations$$) IS NOT NULL')
    if (exists !== true) return false
    const checksums = new Map(await query(`SELECT migration_name, checksum ${APPLIED}`) as Array<[string, string]>)
    return migrationsList().migrationDirectories.every(({ path, migrationFile }) =>
      checksums.get(path) === createHash('sha256').update(migrationFile.content.value).digest('hex'))
  } finally {
    await adapter.dispose()
  }
}

/** Checks whether all migrations are applied. It ignores checksums: a database stays usable when a migration's file is edited later. */
export async function isMigrated (query: Query): Promise<boolean> {
  const [table] = await query<{ exists: boolean }>('SELECT to_regclass($$_prisma_migrations$$) IS NOT NULL AS exists', [])
  if (!table?.exists) return false
  const applied = new Set((await query<{ migration_name: string }>(`SELECT migration_name ${APPLIED}`, [])).map(row => row.migration_name))
  return migrationsList().migrationDirectories.every(({ path }) => applied.has(path))
}

export async function readMigrationStatus (target: MigrationTarget): Promise<MigrationStatus> {
  const engine = await openEngine(target)
  try {
    const found = await diagnose(engine)
    const history = found.history
    return {
      pending: history && 'unappliedMigrationNames' in history ? history.unappliedMigrationNames : [],
      unknown: history && 'unpersistedMigrationNames' in history ? history.unpersistedMigrationNames : [],
      failed: found.failedMigrationNames,
      edited: found.editedMigrationNames
    }
  } finally {
    engine.free()
  }
}

function diagnose (engine: bindings.SchemaEngine): Promise<bindings.DiagnoseMigrationHistoryOutput> {
  return engine.diagnoseMigrationHistory({ migrationsList: migrationsList(), optInToShadowDatabase: false, filters })
}

/** Returns the SQL that leads from the migrations to prisma/schema.prisma; null when they agree. It ignores SQL functions. */
export async function diffMigrations (target: MigrationTarget): Promise<string | null> {
  const engine = await openEngine(target)
  const { directory, schema } = migrationFiles()
  const list = migrationsList()
  try {
    const { exitCode, stdout } = await engine.diff({
      from: list.migrationDirectories.length === 0 ? { tag: 'empty' } : { tag: 'migrations', ...list },
      to: { tag: 'schemaDatamodel', files: [{ path: join(directory, '../schema.prisma'), content: schema }] },
      script: true,
      exitCode: true,
      filters
    })
    return exitCode === 2 ? stdout : null
  } finally {
    engine.free()
  }
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

function migrationsList () {
  const { directory } = migrationFiles()
  const lockfile = join(directory, 'migration_lock.toml')
  const names = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name)
  return {
    baseDir: directory,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: names.sort().map(name => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: readFileSync(join(directory, name, 'migration.sql'), 'utf8') }
      }
    }))
  }
}

async function openEngine (target: MigrationTarget): Promise<bindings.SchemaEngine> {
  loadEngine()
  const factory = bindMigrationAwareSqlAdapterFactory({ provider: 'postgres', adapterName: 'parley', ...target })
  return bindings.SchemaEngine.new({ datamodels: [['schema.prisma', migrationFiles().schema]] }, () => {}, factory)
}

/** Node 20 provides WebAssembly, but its type definitions lack it. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports: Record<string, object>) => { exports: Record<string, unknown> }
}

let loaded = false
function loadEngine (): void {
  if (loaded) return
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm')
  const module = new WebAssembly.Module(readFileSync(path))
  const instance = new WebAssembly.Instance(module, { './schema_engine_bg.js': withoutLastingTimers(bindings) })
  bindings.__wbg_set_wasm(instance.exports)
  ;(instance.exports.__wbindgen_start as () => void)()
  loaded = true
}

/** Unrefs the engine's timers: it leaves one of ten seconds behind, which would keep a command from exiting. */
function withoutLastingTimers (imports: object): object {
  return Object.fromEntries(Object.entries(imports).map(([name, value]) =>
    [name, name.includes('setTimeout') ? (...args: unknown[]) => value(...args).unref() : value]))
}

/** Replaces the adapters' `executeScript`, which either splits a script at every semicolon, even in functions, or does not await it. */
export function withScripts (adapter: SqlDriverAdapter, run: (script: string) => Promise<unknown>): SqlDriverAdapter {
  return Object.assign(adapter, {
    async executeScript (script: string) {
      try {
        await run(script)
      } catch (error) {
        const { code = 'N/A', severity = 'ERROR', message, detail, column, hint } = error as Error & Record<string, string | undefined>
        throw new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint })
      }
    }
  })
}

/** Puts an error in one line, without the engine's own trace, which begins with a line `0: …`. */
function oneLine (error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\n\s*0: .*/s, '').replace(/\s*\n\s*/g, ' ').trim()
}

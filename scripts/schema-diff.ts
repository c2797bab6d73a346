import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { bindMigrationAwareSqlAdapterFactory, type SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'
import { PrismaPGlite } from 'pglite-prisma-adapter'
import { migrationFiles, readMigrations } from '../src/store/migrate.ts'

/** Returns the SQL that leads from the migrations to prisma/schema.prisma; null when they agree. It ignores SQL functions. */
export async function diffMigrations (): Promise<string | null> {
  loadEngine()
  const { directory, schema } = migrationFiles()
  // The engine only uses the shadow, but wants a database beside it as well. Making another one would take as long as everything else.
  const shadow = await openShadow()
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres', adapterName: 'parley', connect: async () => shadow, connectToShadowDb: async () => shadow
  })
  const engine = await bindings.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => {}, factory)
  try {
    const { exitCode, stdout } = await engine.diff({
      from: { tag: 'migrations', ...migrationsList(directory) },
      to: { tag: 'schemaDatamodel', files: [{ path: join(directory, '../schema.prisma'), content: schema }] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] }
    })
    return exitCode === 2 ? stdout : null
  } finally {
    engine.free()
  }
}

/** Returns the migrations in the form that the engine takes. */
function migrationsList (baseDir: string) {
  const lockfile = join(baseDir, 'migration_lock.toml')
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: readMigrations().map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value: sql } }
    }))
  }
}

/** Opens an empty database in memory, in which the engine replays the migrations, so that this needs no PostgreSQL server. */
async function openShadow (): Promise<SqlDriverAdapter> {
  const pglite = await PGlite.create('memory://')
  const adapter = await new PrismaPGlite(pglite).connect()
  // The adapter's own method does not wait for the script.
  return Object.assign(adapter, { executeScript: async (script: string) => { await pglite.exec(script) } })
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

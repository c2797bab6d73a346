import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationFiles } from '../src/store/migrate.ts'

/**
 * The SQL of every function in prisma/functions that differs from the last migration which defines it; empty when they agree.
 * A function whose arguments or columns changed has a `DROP FUNCTION` before its `CREATE`, in its own file.
 */
export function changedFunctions (): string {
  const { directory } = migrationFiles()
  const migrations = foldersIn(directory).map(name => readFileSync(join(directory, name, 'migration.sql'), 'utf8')).reverse()
  const functions = join(directory, '../functions')
  return readdirSync(functions).sort().map(file => readFileSync(join(functions, file), 'utf8')).filter(source => {
    const name = /FUNCTION (?:IF EXISTS )?(\w+) ?\(/.exec(source)![1]!
    const last = migrations.find(sql => new RegExp(`FUNCTION (IF EXISTS )?${name} ?\\(`).test(sql)) ?? ''
    return !comparable(last).includes(comparable(source))
  }).join('\n')
}

function foldersIn (directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
}

/** The statements without full-line comments; the first migrations created what later ones replace. */
function comparable (sql: string): string {
  return sql.replaceAll('CREATE OR REPLACE FUNCTION', 'CREATE FUNCTION').replace(/^\s*--.*\n/gm, '').trim()
}

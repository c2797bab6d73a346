import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationFiles } from '../src/store/migrate.ts'

/**
 * Returns the SQL of each function in prisma/functions that differs from its last migration; an empty string if no function does. If the
 * arguments or the result columns of a function change, its file needs a `DROP FUNCTION` before the `CREATE`.
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

/** Removes full-line comments, and treats the `CREATE FUNCTION` of the first migrations like `CREATE OR REPLACE FUNCTION`. */
function comparable (sql: string): string {
  return sql.replaceAll('CREATE OR REPLACE FUNCTION', 'CREATE FUNCTION').replace(/^\s*--.*\n/gm, '').trim()
}

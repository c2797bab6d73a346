import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findPrograms } from '../../scripts/service.ts'
import { administrate, type Scope } from '../helper.ts'

const run = promisify(execFile)

/** Backs a database up while it is used, as operators do. @returns what puts the backup in the place of the database. */
export async function backUp (scope: Scope, databaseUrl: string): Promise<() => Promise<void>> {
  const [bin = ''] = findPrograms('postgresql')
  const folder = mkdtempSync(join(tmpdir(), 'parley-backup-'))
  scope.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'backup')
  await run(join(bin, 'pg_dump'), ['--format=custom', `--file=${file}`, databaseUrl])
  return async () => {
    const server = new URL(databaseUrl)
    const name = server.pathname.slice(1)
    server.pathname = '/template1'
    await administrate(server.href, `DROP DATABASE ${name} WITH (FORCE)`)
    await administrate(server.href, `CREATE DATABASE ${name}`)
    await run(join(bin, 'pg_restore'), [`--dbname=${databaseUrl}`, file])
  }
}

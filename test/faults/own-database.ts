import { startDatabase } from '../../scripts/postgres.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import type { Scope } from '../helper.ts'

/** Starts a migrated PostgreSQL for one run, which may stop it, restart it or fill its disk. */
export async function startOwnDatabase (scope: Scope, options: Parameters<typeof startDatabase>[0] = {}) {
  const database = await startDatabase(options)
  scope.teardown(database.stop)
  const opened = await openDatabase({ ...loadConfig({}).config.database, url: database.url })
  await opened.migrate()
  await opened.close()
  return database
}

import { startDatabase } from '../../scripts/postgres.ts'
import { migrate } from '../databases/conversation.ts'
import type { Scope } from '../helper.ts'

/** Starts a migrated PostgreSQL for one run, which may stop it, restart it or fill its disk. */
export async function startOwnDatabase (scope: Scope, options: Parameters<typeof startDatabase>[0] = {}) {
  const database = await startDatabase(options)
  scope.teardown(database.stop)
  await migrate(database.url)
  return database
}

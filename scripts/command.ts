import { ConfigError, loadConfig } from '../src/config.ts'
import { AppError } from '../src/errors.ts'
import { openDatabase, type Database } from '../src/store/client.ts'
import { DatabaseError } from '../src/store/database-error.ts'

/** What whoever typed a command can mend, said in one line. */
export class UsageError extends Error {}

/** Runs a command with its arguments: a failure that is to be expected is one line; the exit code is 1 after any. */
export async function runCommand (main: (args: string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    const expected = [ConfigError, DatabaseError, UsageError, AppError].some(type => error instanceof type)
    console.error(expected ? `parley: ${(error as Error).message}` : error)
    process.exitCode = 1
  }
}

/** Lends the server's database. @throws UsageError where migrations are missing: no command applies them by the way. */
export async function withDatabase (use: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase(loadConfig().config.database)
  try {
    const { pending } = await database.migrationStatus()
    if (pending.length > 0) throw new UsageError('the database is new or old: start the server once, or run npm run db:migrate')
    await use(database)
  } finally {
    await database.close()
  }
}

import { loadConfig } from '../src/config.ts'
import { ConfigError } from '../src/config-error.ts'
import { AppError } from '../src/errors.ts'
import { openDatabase, type Database } from '../src/store/client.ts'
import { DatabaseError } from '../src/store/database-error.ts'

/** A mistake that the person who typed the command can correct. Only its message is printed. */
export class UsageError extends Error {}

/** Runs a command. It prints only the message of an expected error, and the stack of any other. The exit code is 1 after both. */
export async function runCommand (main: (args: string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    const expected = [ConfigError, DatabaseError, UsageError, AppError].some(type => error instanceof type)
    console.error(expected ? `parley: ${(error as Error).message}` : error)
    process.exitCode = 1
  }
}

/** Passes the server's database to `use`. @throws UsageError if migrations are missing: commands do not apply them as a side effect. */
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

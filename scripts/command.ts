import { loadConfig } from '../src/config.ts'
import { printFailure } from '../src/process/start-error.ts'
import { openDatabase, type Database } from '../src/store/client.ts'

/** A mistake that the person who typed the command can correct. Only its message is printed. */
export class UsageError extends Error {}

/** Runs a command. An error is printed as one line, with its stack only at `LOG_LEVEL` debug or trace. The exit code is then 1. */
export async function runCommand (main: (args: string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2))
  } catch (error) {
    if (error instanceof UsageError) console.error(`parley: ${error.message}`)
    else printFailure(error, /^(debug|trace)$/.test(process.env.LOG_LEVEL ?? ''))
    process.exitCode = 1
  }
}

/**
 * Passes the server's database to `use`.
 * @throws UsageError if migrations are missing, which commands do not apply as a side effect, or if the server would refuse the database.
 */
export async function withDatabase (use: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase(loadConfig().config.database)
  try {
    const { pending, refusal } = await database.migrationStatus()
    if (refusal !== undefined) throw new UsageError(refusal)
    if (pending.length > 0) throw new UsageError('the database is new or old: start the server once, or run npm run db:migrate')
    await use(database)
  } finally {
    await database.close()
  }
}

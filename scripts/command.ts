import { loadConfig } from '../src/config.ts'
import { createStores } from '../src/domain.ts'
import { askOwner } from '../src/operator/client.ts'
import { UsageError } from '../src/operator/command.ts'
import { commands, type CommandName } from '../src/operator/commands.ts'
import { printFailure } from '../src/process/start-error.ts'
import { openDatabase } from '../src/store/client.ts'

export { UsageError }

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
 * Runs a command of the operator on the server's database, or lets the server run it that has the embedded database open.
 * @throws UsageError if migrations are missing, which commands do not apply as a side effect, or if the server would refuse the database.
 */
export async function runOnDatabase (name: CommandName, args: string[]): Promise<void> {
  const run = commands[name](args)
  const { config: { database: options, server } } = loadConfig()
  const print = (text: string): void => { process.stdout.write(text) }
  if (options.url === undefined && await askOwner(options.data_dir, { command: name, args }, print)) return
  const database = await openDatabase(options)
  try {
    const { pending, refusal } = await database.migrationStatus()
    if (refusal !== undefined) throw new UsageError(refusal)
    requireMigrated(pending)
    await run({
      stores: createStores(database),
      kind: database.kind,
      snapshot: database.snapshot,
      publicUrl: server.public_url,
      print: async text => print(`${text}\n`),
      signal: new AbortController().signal
    })
  } finally {
    await database.close()
  }
}

/** @throws UsageError if there are `pending` migrations. */
export function requireMigrated (pending: string[]): void {
  if (pending.length > 0) throw new UsageError('the database is new or old: start the server once, or run npm run db:migrate')
}

import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { createStores } from '../src/domain.ts'
import { askOwner } from '../src/operator/client.ts'
import { UsageError } from '../src/operator/command.ts'
import { commands, type CommandName } from '../src/operator/commands.ts'
import { requireMigrated } from '../src/operator/status.ts'
import { printFailure } from '../src/process/start-error.ts'
import type { OperatorRequest } from '../src/schemas/operator.ts'
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
  if (await askServer(options, { command: name, args })) return
  const database = await openDatabase(options)
  try {
    const { kind, migrationStatus, snapshot } = database
    if (name !== 'status') requireMigrated(await migrationStatus())
    await run({
      stores: createStores(database),
      kind,
      migrationStatus,
      snapshot,
      publicUrl: server.public_url,
      print: async text => print(`${text}\n`),
      signal: new AbortController().signal
    })
  } finally {
    await database.close()
  }
}

/** Lets the server that has the embedded database open run a command. @returns false if none has it open. */
export async function askServer (options: Config['database'], request: OperatorRequest): Promise<boolean> {
  return options.url === undefined && await askOwner(options.data_dir, request, print)
}

function print (text: string): void {
  process.stdout.write(text)
}

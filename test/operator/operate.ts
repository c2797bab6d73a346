import { createStores } from '../../src/domain.ts'
import { commands, type CommandName } from '../../src/operator/commands.ts'
import type { Database } from '../../src/store/client.ts'

/**
 * Runs a command of the operator on an open database, as the scripts do in processes of their own. A process costs half a CPU second, and
 * a whole one on the embedded database, so each script runs in few tests: those that show its arguments, its output and its exit code.
 * @returns the text that it prints.
 * @throws UsageError with the line by which it fails.
 */
export async function operate (database: Database, command: CommandName, ...args: string[]): Promise<string> {
  const { kind, migrationStatus, snapshot } = database
  let printed = ''
  await commands[command](args)({
    stores: createStores(database),
    kind,
    migrationStatus,
    snapshot,
    publicUrl: undefined,
    print: async text => { printed += `${text}\n` },
    signal: new AbortController().signal
  })
  return printed
}

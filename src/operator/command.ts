import type { AccountCodeStore } from '../store/account-codes.ts'
import type { AccountStore } from '../store/accounts.ts'
import type { Database } from '../store/client.ts'
import type { ModerationStore } from '../store/moderation.ts'
import type { Pruning } from '../store/pruning.ts'
import type { Users } from '../store/users.ts'

/** A mistake that the person who typed the command can correct. Only its message is printed. */
export class UsageError extends Error {}

/** The things that a command works on. They come from the script, if it has opened the database, or from the server that has it open. */
export interface OperatorContext extends Pick<Database, 'kind' | 'migrationStatus' | 'snapshot'> {
  stores: {
    users: Users
    accounts: AccountStore
    accountCodes: AccountCodeStore
    moderation: Pick<ModerationStore, 'log'>
    pruning: Pruning
  }
  publicUrl: string | undefined
  /** Prints text and a line end to the standard output of the person who typed the command. */
  print (text: string): Promise<void>
  /** Aborts when the person has interrupted the command, or the server is closing. */
  signal: AbortSignal
}

/**
 * A command of the operator. It reads its arguments and returns what it then does.
 * @throws UsageError for wrong arguments, before anything is opened.
 */
export type OperatorCommand = (args: string[]) => (context: OperatorContext) => Promise<void>

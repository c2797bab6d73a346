import type { OperatorRequest } from '../schemas/operator.ts'
import { admin } from './admin.ts'
import type { OperatorCommand } from './command.ts'
import { prune } from './prune.ts'

export type CommandName = OperatorRequest['command']

/** The commands that run in a script, or in the server while it has the embedded database open. */
export const commands: Record<CommandName, OperatorCommand> = { admin, prune }

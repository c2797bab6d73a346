import type { OperatorRequest } from '../schemas/operator.ts'
import { admin } from './admin.ts'
import type { OperatorCommand } from './command.ts'
import { prune } from './prune.ts'
import { status } from './status.ts'

export type CommandName = OperatorRequest['command']

/** `npm run backup` reads the copy that this command makes, so that the server only waits until the files are copied. */
const snapshot: OperatorCommand = () => context => context.snapshot()

/** The commands that run in a script, or in the server while it has the embedded database open. */
export const commands: Record<CommandName, OperatorCommand> = { admin, prune, snapshot, status }

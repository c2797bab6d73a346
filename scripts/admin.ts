import { runCommand, runOnDatabase } from './command.ts'

await runCommand(args => runOnDatabase('admin', args))

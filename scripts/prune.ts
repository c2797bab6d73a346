import { PRUNE_USAGE } from '../src/operator/prune.ts'
import { runCommand, runOnDatabase } from './command.ts'

await runCommand(async args => args.includes('--help') ? console.log(PRUNE_USAGE) : runOnDatabase('prune', args))

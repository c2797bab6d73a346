import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { readDump } from '../src/store/transfer/file.ts'
import { runCommand, UsageError } from './command.ts'
import { load } from './transfer.ts'

const USAGE = `usage: npm run restore -- FILE [--replace]
  Reads what npm run backup wrote into the server's database, and verifies it. Stop all servers first. An interrupted call leaves the
  database as it was.
  --replace   removes what the database has; otherwise one that is not empty is refused`

await runCommand(main)

async function main (args: string[]): Promise<void> {
  const { path, replace } = parse(args)
  console.log(await load(await readDump(path), loadConfig().config.database, replace))
}

/** @throws UsageError */
function parse (args: string[]): { path: string, replace: boolean } {
  try {
    const { positionals: [path, ...rest], values } = parseArgs({ args, allowPositionals: true, options: { replace: { type: 'boolean' } } })
    if (path !== undefined && rest.length === 0) return { path, replace: values.replace ?? false }
  } catch {
    // The usage says what is possible.
  }
  throw new UsageError(USAGE)
}

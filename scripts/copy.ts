import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { dumpDatabase } from '../src/store/transfer/dump.ts'
import { runCommand, UsageError } from './command.ts'
import { load, openSource } from './transfer.ts'

const USAGE = `usage: npm run db:copy -- --to TARGET [--replace]
  Copies everything from the server's database into another one, verifies it, and says what to set then. TARGET is the URL of a
  PostgreSQL database (postgresql://…), or a directory for an embedded database. Stop the server first: what it stores during the
  copy is not in the copy. An interrupted copy leaves the target empty.
  --replace   removes what TARGET has; otherwise a target that is not empty is refused`

await runCommand(main)

async function main (args: string[]): Promise<void> {
  const { to, replace } = parse(args)
  const { config } = loadConfig()
  const isUrl = /^postgres(ql)?:\/\//.test(to)
  if (!isUrl && to.includes('://')) throw new UsageError('--to needs a URL that begins with postgresql://, or a directory')
  const { direct_url: _, url: from, ...rest } = config.database
  const options = isUrl ? { ...rest, url: to } : { ...rest, data_dir: to }
  const source = await openSource(config.database)
  try {
    const transaction = await source.begin({ readOnly: true })
    try {
      console.log(await load(await dumpDatabase(transaction.query), options as Config['database'], replace))
    } finally {
      await transaction.end(false)
    }
  } finally {
    await source.close()
  }
  const without = from === undefined ? '' : ' and without DATABASE_URL'
  console.log(isUrl ? adviceForServer(config) : `now start the server with PARLEY_DATA_DIR=${to}${without}`)
}

/** @throws UsageError */
function parse (args: string[]): { to: string, replace: boolean } {
  try {
    const { to, replace = false } = parseArgs({ args, options: { to: { type: 'string' }, replace: { type: 'boolean' } } }).values
    if (to) return { to, replace }
  } catch {
    // The usage says what is possible.
  }
  throw new UsageError(USAGE)
}

/** Says what to set, without the password of the URL. Access tokens stay valid only under the same secret. */
function adviceForServer ({ authentication, database }: Config): string {
  const made = join(database.data_dir, 'jwt_secret')
  const secret = authentication.jwt_secret === undefined && existsSync(made)
    ? `, and with JWT_SECRET set to the content of ${made}`
    : ' and with the same JWT_SECRET as before'
  return `now start the server with DATABASE_URL set to the URL that you gave after --to${secret}`
}

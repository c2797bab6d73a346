// `npm run conformance -- URL [--token TOKEN …] [--admin-token TOKEN] [--json FILE]`: judges a running server by docs/protocol.md.
// Exits with 0 if no rule failed, 1 if one did, 2 if the server could not be judged.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { judge } from './judge.ts'
import { CannotRun } from './people.ts'
import { byRule, toJson, toText } from './report.ts'

const USAGE = 'usage: npm run conformance -- URL [--token TOKEN --token TOKEN …] [--admin-token TOKEN] [--json FILE]'
/** Milliseconds that one answer may take. */
const DEADLINE = 5000

try {
  const { url, token: tokens, 'admin-token': adminToken, json } = readArgs(process.argv.slice(2))
  const report = await judge({ url, tokens, adminToken, deadline: DEADLINE })
  console.log(toText(report))
  if (json !== undefined) writeJson(json, toJson(report))
  process.exitCode = byRule(report.outcomes).some(({ verdict }) => verdict === 'failed') ? 1 : 0
} catch (error) {
  console.error(`parley: ${error instanceof CannotRun ? error.message : (error as Error).stack}`)
  process.exitCode = 2
}

function readArgs (args: string[]) {
  const options = {
    token: { type: 'string', multiple: true, default: [] as string[] }, 'admin-token': { type: 'string' }, json: { type: 'string' }
  } as const
  try {
    const { values, positionals: [url, ...rest] } = parseArgs({ args, options, allowPositionals: true })
    if (url === undefined || rest.length > 0) throw new Error('one URL is needed')
    return { url, ...values }
  } catch (error) {
    throw new CannotRun(`${(error as Error).message}; ${USAGE}`)
  }
}

function writeJson (file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new CannotRun(`the report cannot be written: ${(error as Error).message}`)
  }
}

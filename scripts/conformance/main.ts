// `npm run conformance -- URL [--token TOKEN …] [--admin-token TOKEN] [--json FILE] [--deadline MS]`: judges a running server by
// docs/protocol.md. Exits with 0 if no rule failed, 1 if one did, 2 if the server could not be judged.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { judge } from './judge.ts'
import { CannotRun } from './people.ts'
import { byRule, toJson, toText } from './report.ts'

const USAGE = 'usage: npm run conformance -- URL [--token TOKEN --token TOKEN …] [--admin-token TOKEN] [--json FILE] [--deadline MS]'
/** Milliseconds that one answer may take, unless told otherwise. A case may take five times as long, all cases ten times. */
const DEADLINE = 5000
const MAX_DEADLINE = 600_000
/** Cases that run at the same time. */
const CONCURRENCY = 10

try {
  const { url, token: tokens, 'admin-token': adminToken, json, deadline } = readArgs(process.argv.slice(2))
  const report = await judge({ url, tokens, adminToken, deadline, concurrency: CONCURRENCY })
  console.log(toText(report))
  if (json !== undefined) writeJson(json, toJson(report))
  process.exitCode = byRule(report.outcomes).some(({ verdict }) => verdict === 'failed') ? 1 : 0
} catch (error) {
  console.error(`parley: ${error instanceof CannotRun ? error.message : (error as Error).stack}`)
  process.exitCode = 2
}

function readArgs (args: string[]) {
  const options = {
    token: { type: 'string', multiple: true, default: [] as string[] },
    'admin-token': { type: 'string' },
    json: { type: 'string' },
    deadline: { type: 'string', default: String(DEADLINE) }
  } as const
  try {
    const { values, positionals: [url, ...rest] } = parseArgs({ args, options, allowPositionals: true })
    if (url === undefined || rest.length > 0) throw new Error('one URL is needed')
    const deadline = Number(values.deadline)
    if (!(deadline >= 1 && deadline <= MAX_DEADLINE)) throw new Error(`--deadline is 1 … ${MAX_DEADLINE} milliseconds`)
    return { ...values, url, deadline }
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

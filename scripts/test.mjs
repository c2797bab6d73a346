// `npm test [-- files]`: installs, generates and compiles what is missing, starts private services, makes a migrated template database
// and runs tap. Its last line, `N passed, N failed`, is for machines.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, root } from './setup.mjs'
import { startServices } from './services.mjs'

build()

const tap = join(root, 'node_modules/.bin/tap')
const results = mkdtempSync(join(tmpdir(), 'parley-tap-'))
let services
let running
let interrupted

// The first signal ends what runs; the `finally` below ends the services in any case.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = signal
    running?.kill('SIGTERM')
  })
}

try {
  services = await startServices({ nginx: true })
  const { postgresUrl, redisUrl } = services
  const { DATABASE_URL, REDIS_URL, ...inherited } = process.env
  const env = { ...inherited, NODE_ENV: 'test', TEST_DATABASE_URL: postgresUrl, TEST_REDIS_URL: redisUrl }
  await makeTemplate(postgresUrl, env)
  await buildTap(env)
  const { code, output } = await runTap(process.argv.slice(2), env)
  const { passed, failed } = await tally(output)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = code
} catch (error) {
  if (!interrupted) console.error(`parley: ${error.message}`)
  process.exitCode = 1
} finally {
  await services?.stop()
  rmSync(results, { recursive: true, force: true })
}
if (interrupted) process.exit(128 + constants.signals[interrupted])

/** Tests make their own databases of it: `CREATE DATABASE … TEMPLATE parley_template`. */
async function makeTemplate (postgresUrl, env) {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('CREATE DATABASE parley_template')
  await client.end()
  const url = new URL(postgresUrl)
  url.pathname = '/parley_template'
  const code = await run([join(root, 'dist/scripts/database.js'), 'migrate'], { ...env, DATABASE_URL: url.href })
  if (code !== 0) throw new Error('the template database could not be migrated')
}

/**
 * tap comes built with a TypeScript loader of its own, which costs each test file seconds, and which package.json leaves out. It would
 * build itself without it, but only in the midst of its first run, all of which still has it.
 */
async function buildTap (env) {
  const built = readFileSync(join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js'), 'utf8')
  if (!built.includes('@tapjs/typescript/import')) return
  console.error('parley: building tap …')
  const code = await run([tap, 'build'], env)
  if (code !== 0) throw new Error('tap could not be built')
}

/** A terminal gets tap's live report, anything else plain TAP. (With an output file beside it tap prints TAP twice.) */
async function runTap (args, env) {
  if (process.stdout.isTTY) {
    const file = join(results, 'results.tap')
    const code = await run([tap, '--reporter=base', `--output-file=${file}`, ...args], env)
    return { code, output: readFileSync(file, 'utf8') }
  }
  const chunks = []
  const code = await run([tap, '--reporter=tap', ...args], env, chunk => {
    chunks.push(chunk)
    process.stdout.write(chunk)
  })
  return { code, output: Buffer.concat(chunks).toString() }
}

async function run (args, env, onOutput) {
  if (interrupted) throw new Error('interrupted')
  running = spawn(process.execPath, args, { cwd: root, env, stdio: ['inherit', onOutput ? 'pipe' : 'inherit', 'inherit'] })
  if (onOutput) running.stdout.on('data', onOutput)
  const [code] = await once(running, 'close')
  running = undefined
  return code ?? 1
}

/** Counts tests, not assertions: the innermost `t.test`; a file that fails by itself (a crash, a time-out) counts as one. */
async function tally (tap) {
  const { Parser } = await import('tap-parser')
  return count(Parser.parse(tap))
}

function count (events) {
  const total = { passed: 0, failed: 0, subtests: 0 }
  let child
  for (const [type, value] of events) {
    if (type === 'child') child = count(value)
    if (type !== 'assert' || !child) continue
    total.subtests++
    if (child.subtests === 0) {
      if (!value.skip && !value.todo) total[value.ok ? 'passed' : 'failed']++
    } else {
      total.passed += child.passed
      total.failed += child.failed || (value.ok ? 0 : 1)
    }
    child = undefined
  }
  return total
}

// `npm test [-- FILE …]`: installs, generates and compiles what is missing, starts private services, creates a migrated template database
// and runs the tests, which print TAP. The failed tests are printed at the end; programs may read the last line, `N passed, N failed`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { runTests } from './programs.mjs'
import { build, fail, root } from './setup.mjs'

/** Files that get a process of their own, because they change or measure something that a process has only once. */
const ALONE = [/\/(descriptors|workers|clock)\.test\.ts$/]
/** Files that take long and wait most of that time. */
const WAITING = [/\/conformance\.test\.ts$/, /^test\/packages\//, /^test\/faults\//, /^test\/(browser|web)\//]
/** How many other files follow each one of them. */
const BESIDE = 4
/** Settings of the tests' PostgreSQL that others may have made: none of them may change what Parley does [G19]. */
const SETTINGS = {
  TimeZone: 'America/New_York',
  DateStyle: 'German, DMY',
  default_transaction_isolation: 'serializable',
  statement_timeout: '30s'
}

const files = findTests(process.argv.slice(2))
if (!await build({ tests: true })) process.exit(1)
const { default: pg } = await import('pg')
const { Parser } = await import('tap-parser')
const { loadConfig } = await import('../dist/src/config.js')
const { openDatabase } = await import('../dist/src/store/client.js')
const { startServices } = await import('../dist/scripts/services.js')

const temporary = mkdtempSync(join(tmpdir(), 'parley-tests-'))
const interruption = new AbortController()
let services
let interrupted

// The first signal ends the child processes that are running; the `finally` below ends the services in any case.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = signal
    interruption.abort()
  })
}

try {
  const packages = ['nginx', 'caddy', 'haproxy', 'pgbouncer', 'openssl', 'chromium', 'chromium-headless-shell', 'firefox-esr']
  services = await startServices({ packages, settings: SETTINGS })
  const { postgresUrl, redisUrl } = services
  const { DATABASE_URL, REDIS_URL, ...inherited } = process.env
  const env = {
    ...inherited,
    NODE_ENV: 'test',
    TEST_DATABASE_URL: postgresUrl,
    TEST_REDIS_URL: redisUrl,
    // The first test that uses the embedded database creates this one (test/embedded.ts).
    TEST_EMBEDDED_TEMPLATE: join(temporary, 'embedded')
  }
  await makeTemplate(postgresUrl)
  await buildTap(env)
  const { ok, output } = await runTests(toOrder(files), env, interruption.signal)
  report(output)
  process.exitCode = ok ? 0 : 1
} catch (error) {
  if (!interrupted) console.error(`parley: ${error.message}`)
  process.exitCode = 1
} finally {
  await services?.stop()
  rmSync(temporary, { recursive: true, force: true })
}
if (interrupted) process.exit(128 + constants.signals[interrupted])

/** Returns the test files in these paths, or all test files if there are no paths, relative to the root. */
function findTests (paths) {
  const found = (paths.length > 0 ? paths : [join(root, 'test')]).flatMap(path => {
    if (!existsSync(path)) fail(`${path} does not exist`)
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path, { recursive: true }).filter(name => name.endsWith('.test.ts')).map(name => join(path, name))
  })
  return found.map(path => relative(root, resolve(path))).sort()
}

/**
 * Says which files run alone, and in which order the others share processes: those that wait begin early, because they take long, but not
 * all at once, because then the processors would have little work.
 */
function toOrder (files) {
  const alone = ALONE.flatMap(pattern => files.filter(file => pattern.test(file)))
  const waiting = WAITING.flatMap(pattern => files.filter(file => pattern.test(file)))
  const busy = files.filter(file => !alone.includes(file) && !waiting.includes(file))
  const mixed = waiting.flatMap((file, i) => [file, ...busy.slice(BESIDE * i, BESIDE * (i + 1))])
  const shared = [...mixed, ...busy.slice(BESIDE * waiting.length)]
  return { alone: alone.map(compiled), shared: shared.map(compiled) }
}

/** Returns the name of a compiled test file in dist/test. */
function compiled (file) {
  return relative(join(root, 'test'), join(root, file)).replace(/\.ts$/, '.js')
}

/** Creates the database from which each test copies its own: `CREATE DATABASE … TEMPLATE parley_template`. */
async function makeTemplate (postgresUrl) {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('CREATE DATABASE parley_template')
  await client.end()
  const url = new URL(postgresUrl)
  url.pathname = '/parley_template'
  const database = await openDatabase(loadConfig({ DATABASE_URL: url.href }).config.database)
  await database.migrate()
  await database.close()
}

/** Builds tap without its loaders of TypeScript and of mocks, which each program would load, and which package.json turns off. */
async function buildTap (env) {
  const built = readFileSync(join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js'), 'utf8')
  if (!built.includes('@tapjs/typescript/import')) return
  console.error('parley: building tap …')
  const { signal } = interruption
  const child = spawn(process.execPath, [join(root, 'node_modules/.bin/tap'), 'build'], { cwd: root, env, stdio: 'inherit', signal })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error('tap could not be built')
}

/** Prints each failed test, and how many tests passed and failed. */
function report (output) {
  const { passed, failed } = judge(Parser.parse(output), [])
  for (const { path, reasons } of failed) console.log(`FAILED: ${path.join(' > ')}\n${reasons.join('\n')}`)
  console.log(`${passed} passed, ${failed.length} failed`)
}

/**
 * Counts tests, not assertions: the innermost `t.test` blocks. A file or a test that fails by itself (a crash, a timeout) counts as one.
 * @returns `{ passed, failed, subtests, reasons }`; each failed test has its titles, from the file inwards, and its failed assertions.
 */
function judge (events, path) {
  const total = { passed: 0, failed: [], subtests: 0, reasons: [] }
  let child
  for (const [type, value] of events) {
    if (type === 'child') child = { events: value }
    if (type !== 'assert') continue
    if (!child) {
      if (!value.ok && !value.skip && !value.todo) total.reasons.push(toText(value))
      continue
    }
    const inner = [...path, value.name]
    const { passed, failed, subtests, reasons } = judge(child.events, inner)
    child = undefined
    total.subtests++
    total.passed += passed
    total.failed.push(...failed)
    if (value.ok && subtests === 0 && !value.skip && !value.todo) total.passed++
    if (!value.ok && failed.length === 0) total.failed.push({ path: inner, reasons: [...reasons, toText(value)] })
  }
  return total
}

function toText ({ name, diag }) {
  return `  ${name} ${JSON.stringify(diag ?? {}, null, 2).replaceAll('\n', '\n  ')}`
}

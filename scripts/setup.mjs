// Brings a checkout into the state that the other scripts need. It runs before anything is installed: Node alone, plain JavaScript.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)

/** Dependencies as package-lock.json has them, and the Prisma client as the schema has it. */
export function setUp () {
  requireNode()
  if (!isInstalled()) run('npm', ['ci', '--include=dev'], 'installing dependencies')
  if (isOlder(at('src/generated/prisma/client.ts'), [at('prisma/schema.prisma'), at('node_modules/prisma/package.json')])) {
    // `generate` wants an engine file to be there and never runs it; any file will do, and nothing is downloaded.
    run(process.execPath, [at('node_modules/prisma/build/index.js'), 'generate'], 'generating the database client',
      { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' })
  }
}

/** The compiled sources in dist/, as the sources are. Where they are, production's packages are enough. */
export function build () {
  requireNode()
  const stamp = at('dist/.built')
  const wanted = digest()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    if (!isInstalled({ production: true })) run('npm', ['ci', '--omit=dev'], 'installing dependencies')
    return
  }
  setUp()
  run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], 'compiling')
  mkdirSync(at('dist'), { recursive: true })
  writeFileSync(stamp, wanted)
}

export function fail (message) {
  console.error(`parley: ${message}`)
  process.exit(1)
}

function requireNode () {
  const wanted = /\d+(\.\d+)*/.exec(JSON.parse(readFileSync(at('package.json'), 'utf8')).engines.node)[0]
  const [major, minor] = process.versions.node.split('.').map(Number)
  const [wantedMajor, wantedMinor = 0] = wanted.split('.').map(Number)
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  fail(`Node ${wanted} or newer is needed, this is ${process.versions.node}`)
}

/** Compared by content: file times say little after a clone or a copy. */
function isInstalled ({ production = false } = {}) {
  const installed = at('node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const wanted = packagesOf(at('package-lock.json'))
  const found = packagesOf(installed)
  return Object.entries(wanted).every(([path, { version, optional, dev, devOptional }]) =>
    path === '' || optional || (production && (dev || devOptional)) || found[path]?.version === version)
}

const packagesOf = file => JSON.parse(readFileSync(file, 'utf8')).packages

function isOlder (output, inputs) {
  if (!existsSync(output)) return true
  const { mtimeMs } = statSync(output)
  return inputs.some(input => statSync(input).mtimeMs > mtimeMs)
}

/** Of all that decides what is in dist/. */
function digest () {
  const hash = createHash('sha256')
  for (const name of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'prisma/schema.prisma', 'src', 'scripts']) add(name)
  return hash.digest('hex')

  function add (name) {
    if (name === 'src/generated') return
    const names = statSync(at(name)).isDirectory() ? readdirSync(at(name)).sort() : undefined
    hash.update(`${name}\0`)
    if (names) for (const inner of names) add(`${name}/${inner}`)
    else hash.update(readFileSync(at(name)))
  }
}

/** Runs a step; what it prints is shown only when it fails, because most of it is noise to whoever starts a server. */
function run (command, args, what, env = {}) {
  console.error(`parley: ${what} …`)
  const options = { cwd: root, encoding: 'utf8', env: { ...process.env, ...env }, maxBuffer: 1 << 28 }
  const { status, error, stdout, stderr } = spawnSync(command, args, options)
  if (status === 0) return
  if (stdout) console.error(stdout)
  if (stderr) console.error(stderr)
  fail(`${what} failed${error ? `: ${error.message}` : ''}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv[2] === 'build') build()
  else setUp()
}

// Installs, generates and compiles what the other scripts need. It runs before any package is installed, so it is plain JavaScript.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)

/** The folder of the Prisma client. It is not compared, because it changes only when the settings files below change. */
const GENERATED = 'src/generated/'
/** When one of these files changes, everything is compiled again. */
const settings = ['package-lock.json', 'tsconfig.json', 'prisma/schema.prisma', 'scripts/compile.mjs']
const manifest = at('dist/.built.json')
/** Options of `npm ci` that leave out the packages of tools/. */
const WITHOUT_TOOLS = ['--workspace=client', '--workspace=web', '--include-workspace-root']
/** Says of which sources client/dist was compiled. */
const clientManifest = at('client/dist/.built.json')
/** Says of which sources web/dist was bundled. */
const webManifest = at('web/dist/.built.json')

/**
 * Installs the dependencies of package-lock.json and generates the Prisma client of the schema, where they are missing or outdated. Two
 * thirds of the packages are those of tools/, which only tests, benchmarks, lint and generators need: they are installed with `tools`.
 */
function setUp ({ tools = false } = {}) {
  requireNode()
  if (!isInstalled(tools ? 'tools' : 'build')) install(['--include=dev', ...tools ? [] : WITHOUT_TOOLS])
  if (isOlder(at('src/generated/prisma/client.ts'), [at('prisma/schema.prisma'), at('node_modules/prisma/package.json')])) {
    // `generate` requires an engine file but never runs it. Naming any existing file avoids a download.
    run(process.execPath, [at('node_modules/prisma/build/index.js'), 'generate'], 'generating the database client',
      { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' })
  }
}

/**
 * Compiles the changed sources into dist/; with `tests`, those of test/ too. If dist/ is up to date, only the production packages are
 * needed, or with `tools` all packages.
 * @returns whether the sources compile; if not, the error has been printed.
 */
export async function build ({ tests = false, tools = tests } = {}) {
  requireNode()
  if (tools) setUp({ tools })
  if (!await buildClient()) return false
  if (tests) declareClient()
  await buildWeb()
  const wanted = { settings: digest(...settings), files: digestSources(tests ? ['src', 'scripts', 'test'] : ['src', 'scripts']) }
  const built = readBuilt()
  const outdated = built.settings !== wanted.settings
  const changed = Object.keys(wanted.files).filter(file => outdated || built.files[file] !== wanted.files[file])
  const gone = Object.keys(built.files).filter(file => !existsSync(at(file)))
  if (!outdated && changed.length === 0 && gone.length === 0) {
    if (!isInstalled('production')) install(['--omit=dev'])
    return true
  }
  setUp()
  console.error('parley: compiling …')
  if (outdated) rmSync(at('dist'), { recursive: true, force: true })
  for (const file of gone) for (const output of outputsOf(file)) rmSync(output, { force: true })
  if (!await compile(outdated ? [...changed, ...sourcesIn(GENERATED)] : changed, '.', 'dist')) return false
  const kept = outdated ? {} : Object.fromEntries(Object.entries(built.files).filter(([file]) => !gone.includes(file)))
  writeFileSync(manifest, JSON.stringify({ settings: wanted.settings, files: { ...kept, ...wanted.files } }))
  return true
}

/** Compiles client/ into client/dist, where the sources have changed. @returns whether they compile. */
async function buildClient () {
  const settings = digest('package-lock.json', 'client/tsconfig.json', 'scripts/compile.mjs')
  const wanted = JSON.stringify({ settings, files: digestSources(['client/src']) })
  if (existsSync(clientManifest) && readFileSync(clientManifest, 'utf8') === wanted) return true
  setUp()
  rmSync(at('client/dist'), { recursive: true, force: true })
  if (!await compile(sourcesIn('client/src'), 'client/src', 'client/dist')) return false
  writeFileSync(at('client/dist/build.js'), `export const BUILD = '${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}'\n`)
  writeFileSync(clientManifest, wanted)
  return true
}

/** Checks the types of the client and writes its declarations, against which applications, the web app and the tests compile. */
function declareClient () {
  if (!isOlder(at('client/dist/index.d.ts'), sourcesIn('client/src').map(file => at(file)))) return
  const options = ['-p', at('client'), '--emitDeclarationOnly']
  run(process.execPath, [at('node_modules/typescript/bin/tsc'), ...options], 'declaring the client')
}

/** Bundles web/ into web/dist, where its sources or the client have changed. `npm run typecheck` checks its types. */
async function buildWeb () {
  const sources = ['web/src', 'web/static'].flatMap(filesIn).sort()
  const files = [...sources, 'web/index.html', 'scripts/web.mjs', 'client/dist/.built.json']
  const wanted = createHash('sha256').update(files.join('\n')).update(digest('package-lock.json', ...files)).digest('hex')
  if (existsSync(webManifest) && readFileSync(webManifest, 'utf8') === wanted) return
  setUp()
  console.error('parley: bundling the web app …')
  const { bundleWeb } = await import('./web.mjs')
  await bundleWeb(root, wanted.slice(0, 16))
  writeFileSync(webManifest, wanted)
}

/** Writes the declarations of `parley/testing`, against which applications compile. Nothing in this repository needs them. */
function declareTesting () {
  const sources = [...sourcesIn('src/testing').map(file => at(file)), at('src/config-schema.ts')]
  if (!isOlder(at('dist/types/testing/types.d.ts'), sources)) return
  run(process.execPath, [at('node_modules/typescript/bin/tsc'), '-p', at('src/testing')], 'declaring parley/testing')
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

/**
 * Returns whether the packages are there: those of `production`, those that the `build` needs too, or all, with `tools`. Compares versions
 * instead of file times, which say little after a clone or a copy.
 */
function isInstalled (purpose) {
  const installed = at('node_modules/.package-lock.json')
  if (!existsSync(installed)) return false
  const wanted = packagesOf(at('package-lock.json'))
  const found = packagesOf(installed)
  const isThere = path => found[path]?.version === wanted[path].version
  // npm installs a package with all that it depends on.
  const ofBuild = ['', 'client', 'web'].flatMap(path => Object.keys(wanted[path].devDependencies ?? {})).map(name => `node_modules/${name}`)
  return Object.entries(wanted).every(([path, { optional, dev, devOptional }]) =>
    !path.includes('node_modules/') || optional || (purpose !== 'tools' && (dev || devOptional)) || isThere(path)) &&
    (purpose !== 'build' || ofBuild.every(isThere))
}

function install (options) {
  run('npm', ['ci', ...options], 'installing dependencies')
}

const packagesOf = file => JSON.parse(readFileSync(file, 'utf8')).packages

function isOlder (output, inputs) {
  if (!existsSync(output)) return true
  const { mtimeMs } = statSync(output)
  return inputs.some(input => statSync(input).mtimeMs > mtimeMs)
}

/** Reads the digests of the source files and of the settings files from which dist/ was compiled. */
function readBuilt () {
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : { files: {} }
}

function digestSources (folders) {
  const files = folders.flatMap(sourcesIn).filter(file => !file.startsWith(GENERATED))
  return Object.fromEntries(files.map(file => [file, digest(file)]))
}

function sourcesIn (folder) {
  return filesIn(folder).filter(file => file.endsWith('.ts'))
}

function filesIn (folder) {
  return readdirSync(at(folder), { recursive: true }).map(name => join(folder, name)).filter(file => statSync(at(file)).isFile())
}

function digest (...files) {
  const hash = createHash('sha256')
  for (const file of files) hash.update(readFileSync(at(file)))
  return hash.digest('hex')
}

/** Compiles files from below `from` to below `to`. @returns whether they compile; if not, the error has been printed. */
async function compile (files, from, to) {
  const { compileFiles } = await import('./compile.mjs')
  const error = await compileFiles(root, files, from, to)
  if (error !== undefined) console.error(`parley: ${error}`)
  return error === undefined
}

function outputsOf (file) {
  const output = at('dist', file.replace(/\.ts$/, '.js'))
  return [output, `${output}.map`]
}

/** Runs a step. Its output is shown only if it fails, because most of it does not matter to a person who starts a server. */
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
  if (process.argv[2] === 'build') {
    if (!await build()) process.exit(1)
    declareClient()
    declareTesting()
  } else {
    setUp({ tools: true })
    // The tests import what was built of the client.
    if (!await buildClient()) process.exit(1)
    declareClient()
    await buildWeb()
  }
}

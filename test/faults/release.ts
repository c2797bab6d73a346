import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/root.ts'

/** A release as git knows it. `name` is its tag, or says which commit stands for it. */
export interface Release { name: string, commit: string }

/** The types of scripts/compile.mjs, which has none of its own. */
interface Compiler { compileFiles (root: string, files: string[], outbase: string, outdir: string): Promise<string | undefined> }

type Packages = Record<string, { version?: string, dev?: boolean, devOptional?: boolean, optional?: boolean }>

/**
 * Finds the release before this checkout: the newest tag such as v1.2.0 below HEAD. Without tags, the commit before the newest migration
 * came to this branch stands for it, because its schema differs from today's. @returns undefined if git does not have its files, as in a
 * shallow clone.
 */
export function findRelease (): Release | undefined {
  if (!existsSync(join(root, '.git'))) return undefined
  const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', 'HEAD^')
  if (tag) return toRelease(tag, tag)
  const newest = readdirSync(join(root, 'prisma/migrations'), { withFileTypes: true }).filter(entry => entry.isDirectory())
    .map(({ name }) => name).sort().at(-1)!
  const added = git('log', '-1', '--first-parent', '-m', '--format=%H', '--diff-filter=A', '--', `prisma/migrations/${newest}`)
  return added ? toRelease(`${added}^`, `the commit before ${newest}`) : undefined
}

function toRelease (revision: string, name: string): Release | undefined {
  const commit = git('rev-parse', '--verify', '--quiet', `${revision}^{commit}`)
  return commit ? { name, commit } : undefined
}

/** Returns what git prints, or undefined if it fails or is not installed. */
function git (...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/** Compiles the server of a release, once for each commit. @returns the folder from which `dist/src/server.js` runs. */
export async function buildRelease ({ commit }: Release): Promise<string> {
  // Not in node_modules: npm would take the folder around it for the project, and install there.
  const folder = join(root, 'dist/releases', commit)
  if (existsSync(folder)) return folder
  const draft = `${folder}-${process.pid}`
  mkdirSync(draft, { recursive: true })
  try {
    execFileSync('sh', ['-c', 'git archive "$1" | tar -x -C "$2"', 'sh', commit, draft], { cwd: root })
    install(draft)
    generate(draft)
    await compile(draft)
    // Several tests may build the same release at once.
    if (!existsSync(folder)) renameSync(draft, folder)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

/** Links the packages of this checkout if the release wants the same for its server. Otherwise npm installs the release's own. */
function install (folder: string): void {
  const read = (path: string): Packages => JSON.parse(readFileSync(path, 'utf8')).packages
  const found = read(join(root, 'node_modules/.package-lock.json'))
  const same = Object.entries(read(join(folder, 'package-lock.json'))).every(([path, { version, dev, devOptional, optional }]) =>
    !path.startsWith('node_modules/') || dev || devOptional || optional || found[path]?.version === version)
  if (same) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  else execFileSync('npm', ['ci', '--prefix', folder, '--omit=dev', '--prefer-offline', '--no-audit'], { cwd: folder, stdio: 'ignore' })
}

/**
 * Makes the release's Prisma client with the `prisma` of this checkout, because the release's own is a package for development. `generate`
 * requires an engine file but never runs it, so any file will do.
 */
function generate (folder: string): void {
  execFileSync(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: folder,
    env: { PATH: process.env.PATH, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
    stdio: 'ignore'
  })
}

/** Compiles src/ to dist/src as scripts/setup.mjs does, without the web app and the client, which no test of the server needs. */
async function compile (folder: string): Promise<void> {
  const { compileFiles } = await import(pathToFileURL(join(root, 'scripts/compile.mjs')).href) as Compiler
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  const error = await compileFiles(folder, files.map(name => join('src', name)), '.', 'dist')
  if (error !== undefined) throw new Error(error)
}

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'

/** The report of `npm pack` and `npm publish` on a package. */
export interface Packed { name: string, filename: string, files: Array<{ path: string }> }

/** Runs npm in a folder, without the variables that the npm of this run has set. @returns its standard output. */
export function npm (cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) && name !== 'NODE_OPTIONS'))
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26
  })
}

/** Packs the server, or the workspace of this name, into a folder. @returns the path of the archive. */
export function pack (folder: string, workspace?: string): string {
  const output = npm(root, 'pack', '--json', '--pack-destination', folder, ...workspace === undefined ? [] : ['-w', workspace])
  const packed: Packed[] | Record<string, Packed> = JSON.parse(output)
  return join(folder, Object.values(packed)[0]!.filename)
}

/** The versions of Node that Parley supports, the oldest first. */
export const NODES = ['20.20.2', '22.23.5', '24.22.3']

/** Returns the path of a Node of this major version: this process's own, or one of exactly this version that npm installs into a cache. */
export function nodeOf (version: string): string {
  const [major] = version.split('.')
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath
  const name = `node-linux-${process.arch}`
  const folder = join(root, 'node_modules/.cache/parley', `node-${version}`)
  const program = join(folder, 'node_modules', name, 'bin/node')
  if (!existsSync(program)) npm(root, 'install', '--prefix', folder, '--no-save', '--no-package-lock', `${name}@${version}`)
  return program
}

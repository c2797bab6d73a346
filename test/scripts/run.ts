import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { node } from '../node.ts'

interface Outcome { code: number, stdout: string, stderr: string }

/** Runs the built script of `npm run admin -- …` without npm. Its environment is `env` and `PATH` only. */
export const admin = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('admin', env, args)

/** Runs the built script of `npm run prune -- …` in the same way. */
export const prune = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('prune', env, args)

/** Runs the built script of `npm run db:migrate` and the like in the same way. */
export const database = (env: Record<string, string>, command: string): Promise<Outcome> => run('database', env, [command])

/** Runs the built script of `npm run db:copy -- …` in the same way. */
export const copy = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('copy', env, args)

/** Runs the built script of `npm run backup -- …` in the same way. */
export const backup = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('backup', env, args)

/** Runs the built script of `npm run restore -- …` in the same way. */
export const restore = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('restore', env, args)

/** Runs the built script of `npm run config` in the same way. */
export const config = (env: Record<string, string>): Promise<Outcome> => run('config', env, [])

/** Runs the built script of `npm run conformance -- …` in the same way. */
export const conformance = (...args: string[]): Promise<Outcome> => run('conformance/main', {}, args)
/** Runs the built script of `npm run smoke -- URL` in the same way. */
export const smoke = (env: Record<string, string>, url: string): Promise<Outcome> => run('smoke', env, [url])

function run (script: string, env: Record<string, string>, args: string[]): Promise<Outcome> {
  const [command, ...options] = node()
  const file = join(root, `dist/scripts/${script}.js`)
  return new Promise(resolve => {
    execFile(command, [...options, file, ...args], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
  })
}

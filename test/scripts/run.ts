import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { node } from '../node.ts'

interface Outcome { code: number, stdout: string, stderr: string }

/** `npm run admin -- …`, as it was built, without npm; of the environment it has `env` alone. */
export const admin = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('admin', env, args)

/** `npm run prune -- …`, alike. */
export const prune = (env: Record<string, string>, ...args: string[]): Promise<Outcome> => run('prune', env, args)

function run (script: string, env: Record<string, string>, args: string[]): Promise<Outcome> {
  const [command, ...options] = node()
  const file = join(root, `dist/scripts/${script}.js`)
  return new Promise(resolve => {
    execFile(command, [...options, file, ...args], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
  })
}

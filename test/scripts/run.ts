import { execFile } from 'node:child_process'
import { join } from 'node:path'

const script = join(import.meta.dirname, '../../scripts/admin.ts')

/** `npm run admin -- …`, without npm; of the environment it has `env` alone. */
export function admin (env: Record<string, string>, ...args: string[]): Promise<{ code: number, stdout: string, stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, ['--import=tsx', script, ...args], { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }))
  })
}

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config-schema.ts'
import { StartError } from './start-error.ts'
import { makeDirectory } from '../store/data-directory.ts'

/** Returns `authentication.jwt_secret`. Outside production it may be missing: a secret is then made once and kept in the data directory. */
export function readSecret ({ authentication, database }: Config, production: boolean): string {
  if (authentication.jwt_secret !== undefined) return authentication.jwt_secret
  if (production) throw new StartError('JWT_SECRET is required in production: text of at least 32 characters')
  const made = randomBytes(32).toString('base64url')
  if (database.data_dir.startsWith('memory://')) return made
  const path = join(database.data_dir, 'jwt_secret')
  makeDirectory(database.data_dir)
  try {
    if (!existsSync(path)) keepSecret(path, made)
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartError(`${path}: ${(error as Error).message}; set JWT_SECRET or PARLEY_DATA_DIR`)
  }
}

/** Writes the secret completely or not at all, and never over one that another process has written. */
function keepSecret (path: string, secret: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, secret, { mode: 0o600 })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

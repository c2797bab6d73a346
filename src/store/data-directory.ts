import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseError, reasonOf } from './database-error.ts'

/** Creates a data directory that only its owner may enter, unless it exists. @throws DatabaseError */
export function makeDirectory (directory: string): void {
  const path = resolve(directory)
  try {
    // The last level is created separately, because Node's recursive mkdir never returns where nothing can be created (/proc).
    mkdirSync(dirname(path), { recursive: true })
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new DatabaseError(`${directory}: cannot be made: ${reasonOf(error)}`)
  }
}

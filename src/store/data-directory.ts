import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseError, reasonOf } from './database-error.ts'

/** Makes a data directory that only its owner may enter, unless it is there. @throws DatabaseError */
export function makeDirectory (directory: string): void {
  const path = resolve(directory)
  try {
    // In two steps: where nothing can be made (/proc), Node's recursive mkdir tries for ever.
    mkdirSync(dirname(path), { recursive: true })
    if (!existsSync(path)) mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new DatabaseError(`${directory}: cannot be made: ${reasonOf(error)}`)
  }
}

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The project's root folder, whether this module runs from the sources or from dist/. */
export const root = find(import.meta.dirname)

function find (folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : find(dirname(folder))
}

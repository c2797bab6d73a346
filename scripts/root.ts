import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The checkout, from the sources and from dist/ alike. */
export const root = find(import.meta.dirname)

function find (folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : find(dirname(folder))
}

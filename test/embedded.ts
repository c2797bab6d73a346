import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fastestFolder } from '../scripts/services.ts'
import { loadConfig } from '../src/config.ts'
import { openDatabase } from '../src/store/client.ts'
import type { Scope } from './helper.ts'

/**
 * Creates a data directory for an embedded database with all migrations, and removes it when the test ends. It is a copy of one that the
 * first caller of the run makes, because a copy opens with a tenth of the CPU that a new database needs.
 * @param parent the folder in which the directory is created.
 * @returns the path of the directory.
 */
export async function createDataDirectory (t: Scope, parent = fastestFolder()): Promise<string> {
  const template = process.env.TEST_EMBEDDED_TEMPLATE ?? ''
  if (!existsSync(template)) await makeTemplate(template)
  const directory = mkdtempSync(join(parent, 'parley-embedded-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }))
  // Node's own `cp` takes half a CPU second for these thousand files, ten times as much.
  await promisify(execFile)('cp', ['-R', `${template}/.`, directory])
  return directory
}

/** Processes that make the template at the same time do not disturb each other: the one that finishes first names it. */
async function makeTemplate (template: string): Promise<void> {
  const directory = `${template}-${process.pid}`
  const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: directory })
  await database.migrate()
  await database.close()
  try {
    renameSync(directory, template)
  } catch (error) {
    if (!existsSync(template)) throw error
    rmSync(directory, { recursive: true })
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../src/config-schema.ts'
import { requireMigrated } from '../src/operator/status.ts'
import { onSignals } from '../src/process/signals.ts'
import { openDatabase, type Database } from '../src/store/client.ts'
import type { Dump } from '../src/store/transfer/dump.ts'
import { loadDump } from '../src/store/transfer/load.ts'
import { UsageError } from './command.ts'

/** Characters of the progress bar. */
const WIDTH = 30

/** Opens the database that a copy or a backup is made of. @throws UsageError if there is none, or if it is of another release. */
export async function openSource (options: Config['database']): Promise<Database> {
  if (options.url === undefined && !existsSync(join(options.data_dir, 'pglite'))) {
    throw new UsageError(`there is no database in ${options.data_dir}: set PARLEY_DATA_DIR or DATABASE_URL`)
  }
  // A copy of a newer database would lack what only the newer release knows, so DATABASE_ALLOW_NEWER does not apply.
  const database = await openDatabase({ ...options, allow_newer: false })
  try {
    const status = await database.migrationStatus()
    requireMigrated(status)
    const [foreign] = status.unknown
    if (foreign !== undefined) {
      throw new UsageError(`another application keeps its migrations, such as ${foreign}, in the same schema: use pg_dump instead`)
    }
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** A long run calls `onProgress` as it goes on, and ends when `signal` aborts. */
interface RunOptions { onProgress (done: number, all: number): void, signal: AbortSignal }

/** Runs something that takes long. It shows the progress on a terminal, and interrupts the run at the first signal, with this reason. */
export async function runLong<T> (reason: string, run: (options: RunOptions) => Promise<T>): Promise<T> {
  const interruption = new AbortController()
  onSignals(() => interruption.abort(new UsageError(reason)), () => process.exit(1))
  const { onProgress, end } = showProgress()
  try {
    return await run({ onProgress, signal: interruption.signal })
  } finally {
    end()
  }
}

/**
 * Migrates the database that `options` name, and loads a dump into it. A signal ends that, and leaves the database as it was.
 * @param replace whether what the database has is removed.
 * @returns a summary of what was copied, for the operator.
 */
export function load (dump: Dump, options: Config['database'], replace: boolean): Promise<string> {
  return runLong('interrupted: the target is as it was', async run => {
    const target = await openDatabase(options)
    try {
      await target.migrate()
      return summaryOf(await loadDump(await target.begin({ readOnly: false }), dump, { replace, ...run }))
    } finally {
      await target.close()
    }
  })
}

/** Shows on a terminal, as one line of the standard error output, how much is done. */
function showProgress () {
  let shown = -1
  return {
    onProgress (done: number, all: number): void {
      const percent = all === 0 ? 100 : Math.floor(100 * done / all)
      if (!process.stderr.isTTY || percent === shown) return
      shown = percent
      const bar = '█'.repeat(Math.floor(WIDTH * percent / 100)).padEnd(WIDTH, '░')
      process.stderr.write(`\r${bar} ${percent} % of ${all} rows`)
    },
    end (): void {
      if (shown >= 0) process.stderr.write('\n')
    }
  }
}

function summaryOf (rows: Map<string, number>): string {
  const all = [...rows.values()].reduce((sum, count) => sum + count, 0)
  const counts = ['User', 'Channel', 'Message'].map(table => rows.get(table) ?? 0)
  return `copied ${all} rows: ${counts[0]} users, ${counts[1]} channels, ${counts[2]} messages and all that belongs to them; ` +
    'every row and the last seq of every channel were compared'
}

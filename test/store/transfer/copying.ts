import { loadConfig } from '../../../src/config.ts'
import { openDatabase, type Database, type LongTransaction } from '../../../src/store/client.ts'
import { dumpDatabase, type Dump } from '../../../src/store/transfer/dump.ts'
import { loadDump, type LoadOptions } from '../../../src/store/transfer/load.ts'
import { createDataDirectory } from '../../embedded.ts'
import { createDatabase } from '../../helper.ts'
import type { Test } from '../../tap.ts'

const { database: defaults } = loadConfig({}).config

/** Opens an embedded database with all migrations until the test ends. */
export async function openEmbedded (t: Test): Promise<Database> {
  const database = await openDatabase({ ...defaults, data_dir: await createDataDirectory(t) })
  t.teardown(database.close)
  return database
}

/** Opens a PostgreSQL database until the test ends, by default a new one with all migrations. */
export async function openPostgres (t: Test, url?: string): Promise<Database> {
  const database = await openDatabase({ ...defaults, url: url ?? await createDatabase(t) })
  t.teardown(database.close)
  return database
}

/** Calls a function with everything that is in a database. */
export async function withDump<T> (source: Database, use: (dump: Dump) => Promise<T>): Promise<T> {
  const { query, end } = await source.begin({ readOnly: true })
  try {
    return await use(await dumpDatabase(query))
  } finally {
    await end(false)
  }
}

interface LoadChange extends Partial<LoadOptions> {
  alterTarget?: (transaction: LongTransaction) => LongTransaction
}

/** Loads a dump into a database. */
export async function loadInto (target: Database, dump: Dump, change: LoadChange = {}): Promise<Map<string, number>> {
  const { alterTarget = transaction => transaction, ...options } = change
  const transaction = alterTarget(await target.begin({ readOnly: false }))
  return loadDump(transaction, dump, { replace: false, onProgress: () => {}, signal: new AbortController().signal, ...options })
}

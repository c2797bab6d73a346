import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { askOwner } from '../src/operator/client.ts'
import { snapshotDirectory } from '../src/store/snapshot.ts'
import { dumpDatabase } from '../src/store/transfer/dump.ts'
import { writeDump } from '../src/store/transfer/file.ts'
import { runCommand, UsageError } from './command.ts'
import { openSource, runLong } from './transfer.ts'

const USAGE = `usage: npm run backup -- FILE
  Writes everything in the server's database into a new file, as of one moment, while the server runs or not. npm run restore reads
  it. The file has the hashes of all passwords: keep it where only you can read it.`

await runCommand(main)

async function main ([path, ...rest]: string[]): Promise<void> {
  if (path === undefined || rest.length > 0 || path.startsWith('-')) throw new UsageError(USAGE)
  if (existsSync(path)) throw new UsageError(`${path} exists already`)
  const { config: { database: options } } = loadConfig()
  const copy = snapshotDirectory(options.data_dir)
  const isCopied = options.url === undefined && await askOwner(options.data_dir, { command: 'snapshot', args: [] }, () => {})
  try {
    await backUp(isCopied ? { ...options, data_dir: copy } : options, path)
  } finally {
    if (isCopied) await rm(copy, { recursive: true, force: true })
  }
}

function backUp (options: Config['database'], path: string): Promise<void> {
  return runLong('interrupted: there is no backup', async run => {
    const source = await openSource(options)
    try {
      const { query, end } = await source.begin({ readOnly: true })
      const dump = await dumpDatabase(query)
      await writeDump(dump, path, run)
      await end(false)
      console.log(`wrote ${dump.header.rows} rows to ${path}`)
    } finally {
      await source.close()
    }
  })
}

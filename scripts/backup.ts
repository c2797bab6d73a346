import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { loadConfig } from '../src/config.ts'
import { askOwner } from '../src/operator/client.ts'
import { onSignals } from '../src/process/signals.ts'
import { snapshotDirectory } from '../src/store/snapshot.ts'
import { dumpDatabase } from '../src/store/transfer/dump.ts'
import { writeDump } from '../src/store/transfer/file.ts'
import { runCommand, UsageError } from './command.ts'
import { openSource, showProgress } from './transfer.ts'

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

async function backUp (options: Parameters<typeof openSource>[0], path: string): Promise<void> {
  const interruption = new AbortController()
  onSignals(() => interruption.abort(new UsageError('interrupted: there is no backup')), () => process.exit(1))
  const source = await openSource(options)
  try {
    const transaction = await source.begin({ readOnly: true })
    const dump = await dumpDatabase(transaction.query)
    await writeDump(dump, path, { onProgress: showProgress(), signal: interruption.signal })
    await transaction.end(false)
    console.log(`wrote ${dump.header.rows} rows to ${path}`)
  } finally {
    await source.close()
  }
}

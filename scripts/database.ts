import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../src/config.ts'
import { openDatabase } from '../src/store/client.ts'
import { migrationFiles } from '../src/store/migrate.ts'
import { askServer, runCommand, runOnDatabase, UsageError } from './command.ts'
import { changedFunctions } from './functions.ts'

/** The commands `npm run db:migrate`, `npm run db:status` and `npm run db:new -- NAME`. */
const commands: Record<string, (name?: string) => Promise<void>> = {
  async migrate () {
    const { config: { database: options } } = loadConfig()
    if (await askServer(options, { command: 'status', args: [] })) {
      console.log('nothing to apply: a server has this database open, and each release applies its migrations when it starts')
      return
    }
    const database = await openDatabase(options)
    try {
      const applied = await database.migrate()
      console.log(applied.length > 0 ? `applied ${applied.join(', ')}` : 'nothing to apply')
    } finally {
      await database.close()
    }
  },

  status: () => runOnDatabase('status', []),

  async new (name) {
    if (name === undefined || !/^[a-z0-9][a-z0-9_]*$/.test(name)) {
      throw new UsageError('usage: npm run db:new -- NAME, where NAME has only lower-case letters, digits and _')
    }
    // Only developers have the packages for it.
    const { diffMigrations } = await import('./schema-diff.ts')
    const tables = await diffMigrations()
    const sql = [tables, changedFunctions()].filter(Boolean).join('\n')
    if (sql === '') throw new UsageError('prisma/schema.prisma and prisma/functions have no changes since the last migration')
    const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
    const { directory } = migrationFiles()
    const file = join(`${stamp}_${name}`, 'migration.sql')
    mkdirSync(join(directory, `${stamp}_${name}`))
    writeFileSync(join(directory, file), sql)
    // The format of sha256sum, which renews the file after an edit: sha256sum */migration.sql > SHA256SUMS
    appendFileSync(join(directory, 'SHA256SUMS'), `${createHash('sha256').update(sql).digest('hex')}  ${file}\n`)
    console.log(`wrote ${join(directory, file)}: review it before you commit it`)
  }
}

await runCommand(async ([command = '', name]) => {
  const run = commands[command]
  if (!run) throw new UsageError(`known commands: ${Object.keys(commands).join(', ')}`)
  await run(name)
})

import type { Socket } from 'node:net'
import type { PGlite } from '@electric-sql/pglite'
import type { Config } from '../config-schema.ts'
import { PrismaClient } from '../generated/prisma/client.ts'
import type { Database, DatabaseLogger, Query } from './client.ts'
import { makeDirectory } from './data-directory.ts'
import { DatabaseError, reasonOf } from './database-error.ts'
import { lockDirectory } from './lock.ts'
import { applyMigrations, isMigrated, readMigrationStatus } from './migrate.ts'
import { beginning } from './session-settings.ts'
import { makeSnapshot } from './snapshot.ts'

/**
 * Opens the embedded database in `data_dir`, which is created when missing; `memory://` stores nothing on disk. PGlite is imported on
 * demand, because most servers do not need it.
 * @throws DatabaseError when another process holds the directory, or the directory cannot be used.
 */
export async function openEmbedded (options: Config['database'], logger: DatabaseLogger | undefined): Promise<Database> {
  const { data_dir: directory, allow_newer: allowNewer } = options
  const inMemory = directory.startsWith('memory://')
  if (!inMemory) makeDirectory(directory)
  let onConnection = (socket: Socket): void => { socket.destroy() }
  const unlock = inMemory ? async () => {} : await lockDirectory(directory, socket => onConnection(socket))
  try {
    const { openEngine } = await import('./engine.ts')
    const { PrismaPGlite } = await import('pglite-prisma-adapter')
    const engine = await openEngine(directory, inMemory, logger)
    // The cast is safe: the adapter calls only those methods of PGlite that the engine has.
    const prisma = new PrismaClient({ adapter: new PrismaPGlite(engine as unknown as PGlite) })
    const query: Query = async <Row>(text: string, values: unknown[]) => (await engine.query<Row>(text, values)).rows
    return {
      prisma,
      query,
      kind: 'pglite',
      migrate: () => applyMigrations({ query, runScript: script => engine.exec(script), preamble: '', allowNewer }),
      migrationStatus: () => readMigrationStatus({ query, allowNewer }),
      isMigrated: () => isMigrated(query),
      async begin ({ readOnly }) {
        await engine.exec(beginning(readOnly))
        return { query, end: async commit => { await engine.exec(commit ? 'COMMIT' : 'ROLLBACK') } }
      },
      snapshot: () => makeSnapshot(directory, engine.exclusively),
      pool: () => undefined,
      get full () { return engine.full },
      serve (receive) { onConnection = receive },
      async close () {
        await prisma.$disconnect()
        await engine.close()
        await unlock()
      }
    }
  } catch (error) {
    await unlock()
    throw new DatabaseError(`${directory}: the embedded database cannot be opened: ${reasonOf(error)}`)
  }
}

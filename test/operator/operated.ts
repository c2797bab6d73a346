import { createStores } from '../../src/domain.ts'
import { createLogger } from '../../src/logger.ts'
import { createOperatorServer } from '../../src/operator/server.ts'
import type { Database } from '../../src/store/client.ts'
import { startServer } from '../helper.ts'
import type { Test } from '../tap.ts'

/** Starts a server on the embedded database which takes commands over its socket, as `src/server.ts` does. */
export async function startOperated (t: Test) {
  const server = await startServer(t, { embedded: true, config: { limits: { enabled: false } } })
  const { operator, lines } = createOperator(t, server.database)
  server.database.serve(operator.accept)
  return { server, operator, lines, directory: server.config.database.data_dir }
}

/** Creates what runs commands on a database for the connections that it is given, until the test ends. `lines`: what it logs. */
export function createOperator (t: Test, database: Database) {
  const { kind, migrationStatus, snapshot } = database
  const lines: string[] = []
  const operator = createOperatorServer({
    stores: createStores(database),
    kind,
    migrationStatus,
    snapshot,
    publicUrl: undefined,
    logger: createLogger('info', { write: line => { lines.push(line) } })
  })
  t.teardown(operator.close)
  return { operator, lines }
}

import { createStores } from '../../src/domain.ts'
import { createLogger } from '../../src/logger.ts'
import { createOperatorServer } from '../../src/operator/server.ts'
import { startServer } from '../helper.ts'
import type { Test } from '../tap.ts'

/** Starts a server on the embedded database which takes commands over its socket, as `src/server.ts` does. */
export async function startOperated (t: Test) {
  const lines: string[] = []
  const server = await startServer(t, { embedded: true, config: { limits: { enabled: false } } })
  const operator = createOperatorServer({
    stores: createStores(server.database),
    kind: server.database.kind,
    migrationStatus: server.database.migrationStatus,
    snapshot: server.database.snapshot,
    publicUrl: undefined,
    logger: createLogger('info', { write: line => { lines.push(line) } })
  })
  t.teardown(operator.close)
  server.database.serve(operator.accept)
  return { server, operator, lines, directory: server.config.database.data_dir }
}

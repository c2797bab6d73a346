import { createStores } from '../src/domain.ts'
import { createMaintenance } from '../src/services/maintenance.ts'
import type { Database } from '../src/store/client.ts'
import type { Test } from './tap.ts'

/** Does once what every running server does each minute. */
export async function maintain (t: Test, database: Database): Promise<void> {
  const faults: unknown[] = []
  const hasAutovacuum = database.kind === 'postgresql'
  const maintenance = createMaintenance({
    ...createStores(database), tokenLifetime: 60, hasAutovacuum, onFault: error => faults.push(error)
  })
  await maintenance.run()
  maintenance.stop()
  t.same(faults, [])
}

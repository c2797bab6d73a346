import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { restoredDatabase } from './restored-database.ts'

t.test('[P37] [C8] G18: a database that is restored to an earlier moment misleads no client', async t => {
  passes(t, await restoredDatabase(t, { clients: 2 }))
})

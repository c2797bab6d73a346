import { t } from '../tap.ts'
import { databaseOutages } from './database-outage.ts'
import { diskFull } from './disk-full.ts'
import { frozenDatabase } from './frozen-database.ts'
import { passes } from './outcome.ts'

t.test('[P26] G16: while PostgreSQL restarts or is stopped, sends are answered within 6 s, no ack is false, service resumes', async t => {
  passes(t, await databaseOutages(t, { outages: [{ how: 'restarted', seconds: 1 }, { how: 'stopped', seconds: 7 }], rate: 50 }))
})

t.test('[P26] G16: while the disk of PostgreSQL is full, sends are unavailable without a false ack, and service resumes', async t => {
  passes(t, await diskFull(t, { rate: 50, seconds: 2 }))
})

t.test('[P53] G22: while PostgreSQL is stopped, the largest frames fit into a heap of 512 MB and no connection is closed', async t => {
  passes(t, await frozenDatabase(t, { connections: 90, seconds: 4, limits: false }))
})

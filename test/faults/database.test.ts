import { t } from '../tap.ts'
import { databaseOutage } from './database-outage.ts'
import { diskFull } from './disk-full.ts'
import { frozenDatabase } from './frozen-database.ts'
import { passes } from './outcome.ts'

// Each test has a PostgreSQL of its own to start.
t.setTimeout(240_000)

t.test('[P26] G16: PostgreSQL restarted under load: unavailable meanwhile, never a false ack, and on by itself', async t => {
  passes(t, await databaseOutage(t, { how: 'restarted', seconds: 1, rate: 50 }))
})

t.test('[P26] G16: PostgreSQL stopped under load: unavailable within 6 s, never a false ack, and on by itself', async t => {
  passes(t, await databaseOutage(t, { how: 'stopped', seconds: 7, rate: 50 }))
})

t.test('[P26] G16: PostgreSQL\'s disk full under load: unavailable meanwhile, never a false ack, and on by itself', async t => {
  passes(t, await diskFull(t, { rate: 50, seconds: 2 }))
})

t.test('[P53] G22: PostgreSQL stopped under the largest frames: a heap of 512 MB is enough, and nobody is closed', async t => {
  passes(t, await frozenDatabase(t, { connections: 90, seconds: 4, limits: false }))
})

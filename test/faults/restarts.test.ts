import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { drain, drainWithoutDatabase, rollingRestart } from './restarts.ts'

// Every instance is a process of its own: slow to start where the machine is busy.
t.setTimeout(300_000)

t.test('[P26] G10: SIGTERM under load: everyone is told when to come back, nothing acked is lost, exit code 0 in time', async t => {
  passes(t, await drain(t, { clients: 60, rate: 100 }))
})

t.test('G10: SIGTERM while the database is silent and a client too: exit code 0 within drain_timeout', async t => {
  passes(t, await drainWithoutDatabase(t, { timeout: 8 }))
})

t.test('[P27] [P30] G10: a rolling restart behind nginx: every client comes back, and misses nothing', async t => {
  passes(t, await rollingRestart(t, { clients: 20, rate: 100 }))
})

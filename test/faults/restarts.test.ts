import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { drain, drainWithoutDatabase, rollingRestart } from './restarts.ts'

t.test('[P26] G10: after SIGTERM under load clients are told when to return, no acked message is lost, exit code 0', async t => {
  passes(t, await drain(t, { clients: 30, rate: 50 }))
})

t.test('G10: after SIGTERM the exit code is 0 within drain_timeout, even if the database and a client do not respond', async t => {
  passes(t, await drainWithoutDatabase(t, { timeout: 8 }))
})

t.test('[P27] [P30] G10: in a rolling restart behind nginx every client comes back and misses nothing', async t => {
  passes(t, await rollingRestart(t, { clients: 12, rate: 40, reads: 15 }))
})

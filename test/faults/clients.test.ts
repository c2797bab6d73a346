import { t } from '../tap.ts'
import { bursts } from './bursts.ts'
import { leaks, storm } from './crowds.ts'
import { passes } from './outcome.ts'
import { frozenClient, slowReader } from './slow-clients.ts'

t.test('G6: a reader that stalls is cut off, and the others get everything', async t => {
  const { problems, ...outcome } = await slowReader(t, { readers: 6, bytes: 500_000, seconds: 2 })
  // Delivery times mean something only on a quiet machine: `npm run faults` checks them.
  passes(t, { ...outcome, problems: problems.filter(problem => !problem.startsWith('p99')) })
})

t.test('[P23] G7: a client that freezes is removed from user_list, and its departure is announced once', async t => {
  passes(t, await frozenClient(t, { env: { PERFORMANCE_HEARTBEAT_INTERVAL: '1', PERFORMANCE_PONG_TIMEOUT: '1' } }))
})

t.test('[P30] G11: when all connections break at once, all clients come back and resume', async t => {
  passes(t, await storm(t, { clients: 60, spread: 1000 }))
})

t.test('G14: connections that come and go leave no timer, socket or subscription behind', async t => {
  const { problems, ...outcome } = await leaks(t, { connections: 100, warmUp: 100 })
  // So few connections say nothing about the heap.
  passes(t, { ...outcome, problems: problems.filter(problem => !problem.startsWith('heap')) })
})

t.test('[P52] G22: bursts of messages cut off no client that reads', async t => {
  passes(t, await bursts(t, { rounds: 1, seconds: 2 }))
})

import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { redisEviction } from './redis-eviction.ts'
import { redisFailover, redisHalfOpen } from './redis-failover.ts'
import { redisOutage } from './redis-outage.ts'

const load = { rate: 50, channels: 3, before: 1, outage: 3, after: 2 }

for (const how of ['killed', 'stopped', 'absent at the start'] as const) {
  t.test(`[P33] G1: with Redis ${how} and back later, every message is acked and reaches all clients within 5 s`, async t => {
    passes(t, await redisOutage(t, { how, ...load }))
  })
}

t.test('[P23] G19: after Redis evicted keys, user lists are complete again within a lease, and nothing false is announced', async t => {
  passes(t, await redisEviction(t, { users: 10 }))
})

t.test('[P33] G19: half-open connections to Redis are replaced, and messages between instances are prompt again', async t => {
  passes(t, await redisHalfOpen(t, { rate: 50, channels: 3, before: 1, after: 8 }))
})

t.test('[P33] G19: after a failover of Redis, messages between instances are prompt again', async t => {
  passes(t, await redisFailover(t, { rate: 50, channels: 3, before: 1, after: 8, stale: 2 }))
})

import { t } from '../tap.ts'
import { passes } from './outcome.ts'
import { clusterFailover, clusterMoves, sentinelFailover } from './redis-nodes.ts'

t.test('[P33] G19: after the sentinels have promoted a replica, messages between instances are prompt again', async t => {
  passes(t, await sentinelFailover(t, { rate: 30, channels: 3, before: 1, after: 10 }))
})

t.test('[P33] G19: after a master of a cluster has died, messages between instances are prompt again', async t => {
  passes(t, await clusterFailover(t, { rate: 30, channels: 6, before: 1, after: 10 }))
})

t.test('[P33] G19: while slots of a cluster move, no message is lost, doubled or reordered', async t => {
  passes(t, await clusterMoves(t, { rate: 30, channels: 6, before: 1, after: 6, moves: 4 }))
})

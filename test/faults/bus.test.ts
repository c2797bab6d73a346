import { t } from '../tap.ts'
import { busLoss } from './bus-loss.ts'
import { joins } from './joins.ts'
import { moderationBinds } from './moderation-binds.ts'
import { idempotence, oneOrder } from './order.ts'
import { passes } from './outcome.ts'

t.test('[P33] G2: when the bus loses a fifth of its events, every gap is repaired within 5 s', async t => {
  passes(t, await busLoss(t, { share: 0.2, rate: 50, seconds: 3 }))
})

t.test('[P30] [P31] G3: while others send, there is no gap between a join reply and the live stream', async t => {
  passes(t, await joins(t, { count: 21, rate: 100 }))
})

t.test('[P27] G4: writers on two instances that send as fast as they can produce one order', async t => {
  passes(t, await oneOrder(t, { writers: 4, messages: 1000 }))
})

t.test('[P28] G5: a message sent to two instances at once with one client id is stored once and acked alike', async t => {
  passes(t, await idempotence(t, { pairs: 50 }))
})

t.test('[P32] G13: without Redis, nothing that a user sends on one instance is stored after a ban on the other', async t => {
  passes(t, await moderationBinds(t, { rounds: 3, rate: 100 }))
})

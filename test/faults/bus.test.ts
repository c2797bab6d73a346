import { t } from '../tap.ts'
import { busLoss } from './bus-loss.ts'
import { joins } from './joins.ts'
import { moderationBinds } from './moderation-binds.ts'
import { idempotence, oneOrder } from './order.ts'
import { passes } from './outcome.ts'

t.test('[P33] G2: a fifth of what the bus carries is lost: everything is repaired within 5 s', async t => {
  passes(t, await busLoss(t, { share: 0.2, rate: 100, seconds: 3 }))
})

t.test('[P30] [P31] G3: joins while others send: reply and live stream are one, without a gap', async t => {
  passes(t, await joins(t, { count: 30, rate: 100 }))
})

t.test('[P27] G4: writers on two instances, as fast as they can: one order', async t => {
  passes(t, await oneOrder(t, { writers: 4, messages: 2000 }))
})

t.test('[P28] G5: the same client id at two instances at once: stored once, acked alike', async t => {
  passes(t, await idempotence(t, { pairs: 50 }))
})

t.test('[P32] G13: Redis dead, a ban on one instance: nothing its target sends on the other is stored after it', async t => {
  passes(t, await moderationBinds(t, { rounds: 3, rate: 100 }))
})

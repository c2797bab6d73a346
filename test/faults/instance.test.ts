import { t } from '../tap.ts'
import { deathAfterCommit, frozenInstance, ghosts, lostGuests, stalledLoop, wrongClocks } from './instance-death.ts'
import { passes } from './outcome.ts'

t.test('[P28] [P33] after an instance dies between commit and publication, others get the message and a retry doubles nothing', async t => {
  passes(t, await deathAfterCommit(t, { acked: false, at: 10 }))
})

t.test('[P26] [P33] after an instance dies between ack and publication, the acked message reaches the others', async t => {
  passes(t, await deathAfterCommit(t, { acked: true, at: 10 }))
})

t.test('[P23] G9: when an instance is killed, the departure of each of its users is announced once', async t => {
  passes(t, await ghosts(t, { users: 30 }))
})

t.test('[P60] G9: when an instance is killed, the places of its guests in a capped channel are free within 60 s', async t => {
  passes(t, await lostGuests(t, { guests: 4 }))
})

t.test('[P32] [P33] when a frozen instance resumes, its clients get what they missed, and a kick made meanwhile binds', async t => {
  passes(t, await frozenInstance(t, { seconds: 6, rate: 20 }))
})

t.test('a stall of the event loop closes no connection', async t => {
  passes(t, await stalledLoop(t, { seconds: 12 }))
})

t.test('wall clocks an hour ahead and an hour behind do not affect order, presence and connections', async t => {
  passes(t, await wrongClocks(t, { offsets: [3_600_000, -3_600_000], messages: 100 }))
})

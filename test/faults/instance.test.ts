import { t } from '../tap.ts'
import { deathAfterCommit, frozenInstance, ghosts, lostGuests, stalledLoop, wrongClock } from './instance-death.ts'
import { passes } from './outcome.ts'

// Every instance is a process of its own: slow to start where the machine is busy.
t.setTimeout(300_000)

t.test('[P28] [P33] an instance killed between commit and publication: others get it, a retry doubles nothing', async t => {
  passes(t, await deathAfterCommit(t, { acked: false, at: 10 }))
})

t.test('[P26] [P33] an instance killed between ack and publication: the acked message reaches the others', async t => {
  passes(t, await deathAfterCommit(t, { acked: true, at: 10 }))
})

t.test('[P23] G9: an instance is killed: its users are gone, each told of once', async t => {
  passes(t, await ghosts(t, { users: 30 }))
})

t.test('[P60] G9: an instance is killed: its guests\' places in a capped channel are free within 60 s', async t => {
  passes(t, await lostGuests(t, { guests: 4 }))
})

t.test('[P32] [P33] an instance frozen for seconds: its clients get what they missed, what was decided meanwhile binds', async t => {
  passes(t, await frozenInstance(t, { seconds: 6, rate: 50 }))
})

t.test('an event loop that stalls: nobody is reaped for it', async t => {
  passes(t, await stalledLoop(t, { seconds: 12 }))
})

for (const [where, offset] of [['ahead', 3_600_000], ['behind', -3_600_000]] as const) {
  t.test(`a wall clock an hour ${where}: order, presence and connections do not mind`, async t => {
    passes(t, await wrongClock(t, { offset, messages: 100 }))
  })
}

import { createClock } from '../../src/connections/clock.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'

t.test('a stall of the event loop counts as one tick, so that it closes no connection', async t => {
  const ticks: number[] = []
  const clock = createClock(now => { ticks.push(now) })
  t.teardown(clock.stop)
  await eventually(() => ticks.length === 1)
  t.equal(clock.now(), ticks[0])
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2500)
  await eventually(() => ticks.length === 2)
  const step = ticks[1]! - ticks[0]!
  t.ok(step >= 1000 && step <= 2000, `${step} ms`)
})

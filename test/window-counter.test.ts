import { createWindowCounter } from '../src/window-counter.ts'
import { t } from './tap.ts'

t.test('[P56] the first count of a key opens a window, and at its end the count is 0 again', async t => {
  let now = 1000
  const { add, read } = createWindowCounter(100, () => now)
  t.same(read('a'), { current: 0, ttl: 0 })
  t.same(add('a', 60_000), { current: 1, ttl: 60_000 })
  now += 59_999
  t.same(add('a', 60_000), { current: 2, ttl: 1 }, 'a second count does not extend the window')
  t.same(add('b', 60_000), { current: 1, ttl: 60_000 }, 'another key has its own window')
  now += 1
  t.same(read('a'), { current: 0, ttl: 0 })
  t.same(add('a', 60_000), { current: 1, ttl: 60_000 })
})

t.test('[P56] when there are more keys than may be kept, the least recently counted one starts again at 0', async t => {
  const { add, read } = createWindowCounter(2, () => 0)
  for (const key of ['a', 'b', 'a', 'c']) add(key, 60_000)
  t.same(['a', 'b', 'c'].map(key => read(key).current), [2, 0, 1])
})

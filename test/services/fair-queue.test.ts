import { createFairQueue } from '../../src/services/fair-queue.ts'
import { t } from '../tap.ts'

/** A queue whose work ends when the test calls `finish`. `begun` has the keys of the work that has begun, in order. */
function createScene (options: Parameters<typeof createFairQueue>[0]) {
  const run = createFairQueue(options)
  const begun: string[] = []
  const ends: Array<() => void> = []
  const add = (key: string): Promise<string> => run(key, () => new Promise<void>(resolve => {
    begun.push(key)
    ends.push(resolve)
  })).then(() => 'done', error => error.code)
  async function finish (count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      ends.shift()!()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { add, begun, finish }
}

t.test('[P56] keys take turns, however much work of one key is queued', async t => {
  const { add, begun, finish } = createScene({ concurrency: 1, maxWaiting: 100, maxWaitingOfOne: 50 })
  const all = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(add)
  await finish(7)
  t.equal(begun.join(''), 'aabcaba')
  t.same(await Promise.all(all), Array(7).fill('done'))
})

t.test('[P56] a key without running work comes before keys with running work', async t => {
  const { add, begun, finish } = createScene({ concurrency: 2, maxWaiting: 100, maxWaitingOfOne: 50 })
  const all = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(add)
  await finish(7)
  t.equal(begun.join(''), 'aabacba')
  t.same(await Promise.all(all), Array(7).fill('done'))
})

t.test('[P56] each key may queue a limited number; in a full queue the key with the most entries loses its newest one', async t => {
  const { add, finish } = createScene({ concurrency: 1, maxWaiting: 4, maxWaitingOfOne: 3 })
  const a = Array.from({ length: 5 }, () => add('a'))
  t.equal(await a[4], 'busy', 'key a may queue three')
  const b = add('b')
  const c = add('c')
  t.equal(await a[3], 'busy', 'the newest entry of key a made room for c')
  const d = add('d')
  t.equal(await a[2], 'busy', 'another entry of key a made room for d')
  t.equal(await add('e'), 'busy', 'no key has more than one entry, so the new one is refused')
  await finish(5)
  t.same(await Promise.all([a[0], a[1], b, c, d]), Array(5).fill('done'))
})

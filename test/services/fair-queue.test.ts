import { createFairQueue } from '../../src/services/fair-queue.ts'
import { t } from '../tap.ts'

/** A queue whose work ends when the test says so. `begun` is whose work began, in order. */
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

t.test('[P56] keys take turns, however much one of them has waiting', async t => {
  const { add, begun, finish } = createScene({ concurrency: 1, maxWaiting: 100, maxWaitingOfOne: 50 })
  const all = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(add)
  await finish(7)
  t.equal(begun.join(''), 'aabcaba')
  t.same(await Promise.all(all), Array(7).fill('done'))
})

t.test('[P56] a key of which nothing runs comes before those of which something does', async t => {
  const { add, begun, finish } = createScene({ concurrency: 2, maxWaiting: 100, maxWaitingOfOne: 50 })
  const all = ['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(add)
  await finish(7)
  t.equal(begun.join(''), 'aabacba')
  t.same(await Promise.all(all), Array(7).fill('done'))
})

t.test('[P56] a key has so many places; when all are taken, the key with most gives its last one up', async t => {
  const { add, finish } = createScene({ concurrency: 1, maxWaiting: 4, maxWaitingOfOne: 3 })
  const a = Array.from({ length: 5 }, () => add('a'))
  t.equal(await a[4], 'busy', 'a fourth that waits')
  const b = add('b')
  const c = add('c')
  t.equal(await a[3], 'busy', 'it gave its place up')
  const d = add('d')
  t.equal(await a[2], 'busy', 'and another one')
  t.equal(await add('e'), 'busy', 'now nobody has more than a newcomer would')
  await finish(5)
  t.same(await Promise.all([a[0], a[1], b, c, d]), Array(5).fill('done'))
})

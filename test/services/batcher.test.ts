import { setImmediate as nextTurn } from 'node:timers/promises'
import { createBatcher } from '../../src/services/batcher.ts'
import { t } from '../tap.ts'

const ITEMS = 40

/** Keeps the event loop from doing anything else for some milliseconds. */
function work (ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Returns a batcher that doubles numbers, and the sizes of its batches. */
function createDoubler () {
  const sizes: number[] = []
  const double = createBatcher<number, number>(async items => {
    sizes.push(items.length)
    await nextTurn()
    return items.map(item => 2 * item)
  })
  return { double, sizes }
}

t.test('a busy process collects items that arrive one by one, so that it makes fewer calls', async t => {
  const { double, sizes } = createDoubler()
  const answers: Array<Promise<number>> = []
  for (let item = 0; item < ITEMS; item++) {
    answers.push(double(item))
    work(5)
    await nextTurn()
  }
  t.same(await Promise.all(answers), Array.from({ length: ITEMS }, (_, item) => 2 * item))
  t.ok(sizes.length <= ITEMS / 2, `${sizes.length} calls for ${ITEMS} items`)
})

t.test('items that arrive together make up one batch, and an error rejects only its own item', async t => {
  const sizes: number[] = []
  const double = createBatcher<number, number>(async items => {
    sizes.push(items.length)
    return items.map(item => item === 2 ? new Error('two') : 2 * item)
  })
  t.same(await Promise.allSettled([1, 2, 3].map(double)), [
    { status: 'fulfilled', value: 2 }, { status: 'rejected', reason: new Error('two') }, { status: 'fulfilled', value: 6 }
  ])
  t.same(sizes, [3])
})

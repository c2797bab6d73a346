import { AppError } from '../errors.ts'

/** Items in one batch, at most. */
const BATCH_SIZE = 500
/** Items that may wait for a later batch. A further item is refused with `busy`. */
const MAX_WAITING = 20_000

interface Waiting<In, Out> { item: In, resolve: (out: Out) => void, reject: (error: unknown) => void }

/**
 * Turns a function that processes many items in one call into a function for a single item. Items that arrive while a call is under way
 * make up the next batch, so a burst of logins or joins costs a few round trips, and a single item does not wait.
 * `run` returns one outcome per item, in order. An `Error` among them rejects only its own item.
 */
export function createBatcher<In, Out> (run: (items: In[]) => Promise<Array<Out | Error>>): (item: In) => Promise<Out> {
  let waiting: Array<Waiting<In, Out>> = []
  let running = false

  async function drain (): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_SIZE)
      waiting = waiting.slice(BATCH_SIZE)
      try {
        const outcomes = await run(batch.map(({ item }) => item))
        batch.forEach(({ resolve, reject }, i) => {
          const outcome = outcomes[i]!
          if (outcome instanceof Error) reject(outcome)
          else resolve(outcome)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    running = false
  }

  return item => new Promise((resolve, reject) => {
    if (waiting.length >= MAX_WAITING) return reject(new AppError('busy'))
    waiting.push({ item, resolve, reject })
    if (running) return
    running = true
    setImmediate(drain)
  })
}

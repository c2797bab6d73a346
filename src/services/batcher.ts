import { AppError } from '../errors.ts'

/** What one run takes, and what may wait for the next; beyond that the caller is told `busy`. */
const BATCH_SIZE = 500
const MAX_WAITING = 20_000

interface Waiting<In, Out> { item: In, resolve: (out: Out) => void, reject: (error: unknown) => void }

/**
 * Turns a call that does many at once into one that does a single one: what comes while a run is under way makes up
 * the next. A storm of logins or joins so costs a few round trips, and a lone one does not wait.
 * `run` returns one outcome per item, in order; an `Error` among them rejects that item alone.
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

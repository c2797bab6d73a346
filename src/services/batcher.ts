import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../errors.ts'

/** Items in one batch, at most. */
const BATCH_SIZE = 500
/** Items that may wait for a later batch. A further item is refused with `busy`. */
const MAX_WAITING = 20_000
/** Share of the time since the batch before in which the event loop worked, above which the process is busy. */
const BUSY = 0.8
/** Milliseconds for which a batch collects further items while the process is busy. */
const COLLECT_MS = 20

interface Waiting<In, Out> { item: In, resolve: (out: Out) => void, reject: (error: unknown) => void }

/**
 * Turns a function that processes many items in one call into a function for a single item. Items that arrive while a call is under way
 * make up the next batch, so a burst of logins or joins costs a few round trips, and a single item does not wait. While the process is
 * busy, a batch collects items for a moment: a call costs as much CPU time as many items, and the items would wait anyway.
 * `run` returns one outcome per item, in order. An `Error` among them rejects only its own item.
 */
export function createBatcher<In, Out> (run: (items: In[]) => Promise<Array<Out | Error>>): (item: In) => Promise<Out> {
  let waiting: Array<Waiting<In, Out>> = []
  let running = false
  let loop = performance.eventLoopUtilization()

  /** Whether the event loop hardly rested since the last call. */
  function isBusy (): boolean {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, loop)
    loop = now
    return utilization > BUSY
  }

  async function drain (): Promise<void> {
    while (waiting.length > 0) {
      if (isBusy()) await delay(COLLECT_MS)
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

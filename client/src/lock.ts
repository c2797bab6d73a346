import { createTimer, type Clock } from './clock.ts'
import { webLocks } from './web-locks.ts'

/** Milliseconds for which another tab may hold a lock: a frozen tab holds it for ever. */
const LOCK_TIMEOUT = 10_000

/** Runs one piece of work at a time. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>

/** Creates a lock that all tabs of an origin share, where the browser has Web Locks [C7]; otherwise of this client alone. */
export function createLock (name: string, clock: Clock): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return work => {
    const next = last.then(() => inAllTabs(name, clock, work))
    last = next.catch(() => {})
    return next
  }
}

/** If the lock cannot be had in time, the work is done without it: a refresh that two tabs make at once does no harm [P61]. */
async function inAllTabs<T> (name: string, clock: Clock, work: () => Promise<T>): Promise<T> {
  const locks = webLocks()
  if (!locks) return work()
  const stop = new AbortController()
  const timer = createTimer(clock, () => stop.abort())
  timer.start(LOCK_TIMEOUT)
  let running: Promise<T> | undefined
  try {
    return await locks.request(name, { signal: stop.signal }, () => {
      timer.stop()
      running = work()
      return running
    })
  } catch (error) {
    if (running) return running
    if (stop.signal.aborted) return work()
    throw error
  } finally {
    timer.stop()
  }
}

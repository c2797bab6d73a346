import { jitter } from './backoff.ts'
import { createTimer, type Clock } from './clock.ts'
import { ParleyError } from './errors.ts'

/** Reads over REST something that no request of the protocol gives. After a failure it tries again, after waits that grow. */
export function createLoader<T> ({ clock, isWanted, read, show, onFault }: {
  clock: Clock
  isWanted (): boolean
  /** The signal is aborted when the answer is not wanted any more. */
  read (signal: AbortSignal): Promise<T>
  show (value: T): void
  onFault (error: unknown): void
}) {
  const retry = createTimer(clock, load)
  let isOutdated = true
  let failures = 0
  let reading: AbortController | undefined

  /** Reads it if it is wanted and outdated. */
  function load (): void {
    if (!isOutdated || reading || retry.isRunning || !isWanted()) return
    isOutdated = false
    reading = new AbortController()
    const { signal } = reading
    read(signal).then(value => {
      if (signal.aborted) return
      reading = undefined
      failures = 0
      show(value)
    }).catch((error: unknown) => {
      if (signal.aborted) return
      reading = undefined
      if (!(error instanceof ParleyError && error.again)) return onFault(error)
      isOutdated = true
      retry.start(error.retryAfterMs ?? jitter(failures++, clock.random()))
    })
  }

  return {
    load,

    /** Forgets what was read, and drops the answer to a call that is under way. */
    outdate (): void {
      reading?.abort()
      reading = undefined
      retry.stop()
      isOutdated = true
    }
  }
}

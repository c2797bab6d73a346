/** Where the client takes all time and randomness from. Tests pass `manualClock()` of `@parley/client/testing` [C11]. */
export interface Clock {
  /** Milliseconds since 1970, by the wall clock, so that it jumps when the machine has slept. */
  now (): number
  /** A number of at least 0 and below 1. */
  random (): number
  /** Calls `action` once, after `ms` milliseconds. @returns what `clearTimeout` takes. */
  setTimeout (action: () => void, ms: number): unknown
  clearTimeout (timer: unknown): void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: timer => clearTimeout(timer as number)
}

/** Timers fire at once if they are set for longer than this. */
const LONGEST = 2 ** 31 - 1

/** One deadline that can be set again and stopped. */
export interface Timer { start (ms: number): void, stop (): void, readonly isRunning: boolean }

/** Creates a timer that calls `action`. Starting it again sets it anew. A wait beyond 24 days ends after 24 days. */
export function createTimer (clock: Clock, action: () => void): Timer {
  let timer: unknown
  function stop (): void {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }
  return {
    start (ms) {
      stop()
      timer = clock.setTimeout(() => {
        timer = undefined
        action()
      }, Math.min(ms, LONGEST))
    },
    stop,
    get isRunning () { return timer !== undefined }
  }
}

/** Characters of an id: enough that no two are the same. */
const ID_LENGTH = 22

/** A new random id. */
export function newId (clock: Clock): string {
  return Array.from({ length: ID_LENGTH }, () => Math.floor(clock.random() * 36).toString(36)).join('')
}

import type { Clock } from './clock.ts'

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Lets `ms` milliseconds pass: calls what is due, in order, and gives promises their turns in between. */
  advance (ms: number): Promise<void>
  /** Lets the wall clock jump, as after a sleep: timers that have become due are called late, at the next `advance`. */
  jump (ms: number): void
  /** Number of timers that are set. */
  readonly pending: number
}

/** Turns that promises get between two timers. */
const TURNS = 20
/** Real turns of the event loop at the end, for what a scripted server answers. */
const LOOPS = 3

/** Ends the turn of the event loop. Timers would take a millisecond each. */
const turn: (action: () => void) => unknown = (globalThis as { setImmediate?: (action: () => void) => unknown }).setImmediate ?? setTimeout

/** Creates a clock for tests [C11]. `random` gives the numbers of a generator with this seed, the same in every run. */
export function manualClock ({ now = Date.UTC(2026, 0, 1), seed = 1 }: { now?: number, seed?: number } = {}): ManualClock {
  const timers = new Map<number, { at: number, action: () => void }>()
  let ids = 0
  let state = seed >>> 0

  async function settle (): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await Promise.resolve()
  }

  async function loops (): Promise<void> {
    for (let loop = 0; loop < LOOPS; loop++) await new Promise<void>(resolve => turn(resolve))
  }

  return {
    now: () => now,
    random () {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    setTimeout (action, ms) {
      timers.set(++ids, { at: now + Math.max(0, ms), action })
      return ids
    },
    clearTimeout (timer) {
      timers.delete(timer as number)
    },
    async advance (ms) {
      const end = now + ms
      await loops()
      for (;;) {
        const due = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
        if (!due) break
        const [id, { at, action }] = due
        timers.delete(id)
        now = Math.max(now, at)
        action()
        await settle()
      }
      now = Math.max(now, end)
      await loops()
    },
    jump (ms) { now += ms },
    get pending () { return timers.size }
  }
}

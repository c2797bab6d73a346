import { createTimer, type Clock } from './clock.ts'

/** Milliseconds between two looks at the clock. */
const TICK = 5000
/** A look that comes later than this shows that the machine slept, or that timers of a hidden tab are throttled. */
const JUMP = 5000
/** Milliseconds within which a beat has to be answered. */
const PATIENCE = 10_000
/** The same after a sleep, when the connection is in doubt anyway. */
const QUICK_PATIENCE = 3000

export type Heartbeat = ReturnType<typeof createHeartbeat>

/**
 * Notices a dead connection [C6]. `beat` asks the server for a sign of life, `die` is called if there is none, not even other frames. After
 * a jump of the clock one beat more is asked for: what came in meanwhile may not have been read yet.
 */
export function createHeartbeat ({ clock, beat, die }: { clock: Clock, beat (): void, die (): void }) {
  const timer = createTimer(clock, tick)
  let interval = 0
  let due = 0
  let beatAt = 0
  /** Undefined: no beat waits for its answer. */
  let patience: number | undefined
  let isDoubted = false

  function ask (within: number): void {
    beatAt = clock.now()
    patience = within
    beat()
  }

  function schedule (): void {
    const now = clock.now()
    const ms = Math.max(0, Math.min(TICK, beatAt + (patience ?? interval) - now))
    due = now + ms
    timer.start(ms)
  }

  function tick (): void {
    const now = clock.now()
    const hasJumped = now - due > JUMP
    if (patience !== undefined && now - beatAt >= patience) {
      if (!hasJumped || isDoubted) return die()
      isDoubted = true
      ask(QUICK_PATIENCE)
    } else if (patience === undefined && (hasJumped || now - beatAt >= interval)) {
      ask(hasJumped ? QUICK_PATIENCE : PATIENCE)
    }
    schedule()
  }

  return {
    /** Begins to watch a new connection, with a beat every `ms` milliseconds. */
    start (ms: number): void {
      interval = ms
      beatAt = clock.now()
      patience = undefined
      isDoubted = false
      schedule()
    },

    stop: timer.stop,

    /** Something came in. */
    heard (): void {
      patience = undefined
      isDoubted = false
    },

    /** Asks at once: the network may have changed. */
    probe (): void {
      ask(QUICK_PATIENCE)
      schedule()
    }
  }
}

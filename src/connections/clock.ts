/** Seconds between ticks, and the resolution of every deadline that connections have. */
const TICK_MS = 1000

/**
 * The one clock of all connections. It is monotonic and never runs faster than the process: a stall of the event loop
 * counts as one tick, so that nobody is reaped because *we* did not look.
 */
export function createClock (onTick: (now: number) => void) {
  let now = 0
  let seen = performance.now()
  const timer = setInterval(() => {
    const real = performance.now()
    now += Math.round(Math.min(real - seen, 2 * TICK_MS))
    seen = real
    onTick(now)
  }, TICK_MS)
  timer.unref()
  return {
    /** Milliseconds of this clock's own time. */
    now: (): number => now,
    stop: (): void => clearInterval(timer)
  }
}

export type Clock = ReturnType<typeof createClock>

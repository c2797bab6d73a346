/** Milliseconds between two ticks, which is the resolution of all deadlines of connections. */
const TICK_MS = 1000

/**
 * The one clock of all connections. It is monotonic and does not run on while the process stalls: a stall of the event loop counts as two
 * ticks at most, so that no connection is closed because the server was not looking.
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
    /** Milliseconds that have passed on this clock. */
    now: (): number => now,
    stop: (): void => clearInterval(timer)
  }
}

export type Clock = ReturnType<typeof createClock>

import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** Milliseconds between two measurements. A measured delay includes this interval. */
const RESOLUTION_MS = 10

/** Measures the event loop from now on. */
export function watchEventLoop () {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  let before = performance.eventLoopUtilization()
  delays.enable()

  /** Returns how late the loop was, in milliseconds; null if it was not measured once. */
  const delay = (percent: number): number | null =>
    delays.count === 0 ? null : Math.max(0, delays.percentile(percent) / 1e6 - RESOLUTION_MS)

  return {
    /** Returns what was measured since the call before: the delays, and the share of time in which the loop was busy. */
    take () {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      const taken = { p50_ms: delay(50), p99_ms: delay(99), utilization: Math.min(1, Math.max(0, utilization)) }
      before = now
      delays.reset()
      return taken
    },
    stop (): void { delays.disable() }
  }
}

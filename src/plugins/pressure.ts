import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the process is overloaded. */
    isUnderPressure (): boolean
  }
}

export interface PressureDeps {
  /** Mean delay of the event loop at which the process is overloaded, in milliseconds; 0: no limit. */
  maxDelay: number
  /** Bytes of heap in use at which the process is overloaded. */
  maxHeap: number
}

/**
 * Milliseconds over which the delay of the event loop is averaged. A single stall of this length counts as overload whatever the limit
 * is, and a start or a pause of the whole machine easily stalls the process for a second.
 */
const SAMPLE_MS = 3000
/** Milliseconds between two measurements of the event loop's delay. The measured delay includes this interval. */
const RESOLUTION_MS = 10

/**
 * Measures the event loop and the heap. It opens no file, unlike @fastify/under-pressure: that calls `process.memoryUsage`, which throws
 * when the process is out of file descriptors.
 */
export default fp(async (app, { maxDelay, maxHeap }: PressureDeps) => {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let isUnderPressure = false
  const timer = setInterval(() => {
    // The mean is NaN if nothing was measured since the last sample: the event loop stood still.
    const delay = Number.isNaN(delays.mean) ? Infinity : delays.mean / 1e6 - RESOLUTION_MS
    delays.reset()
    isUnderPressure = (maxDelay > 0 && delay > maxDelay) || getHeapStatistics().used_heap_size > maxHeap
  }, SAMPLE_MS)
  timer.unref()
  app.decorate('isUnderPressure', () => isUnderPressure)
  app.addHook('onClose', async () => {
    clearInterval(timer)
    delays.disable()
  })
}, { name: 'pressure' })

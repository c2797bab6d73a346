import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Has the process all it can carry? */
    isUnderPressure (): boolean
  }
}

export interface PressureDeps {
  /** Mean delay of the event loop, in milliseconds; 0: no limit. */
  maxDelay: number
  /** Bytes of heap in use. */
  maxHeap: number
}

/**
 * Over which the delay of the event loop is averaged, in milliseconds. A single stall of that length counts as pressure, whatever the
 * threshold, and a start or a pause of the whole machine easily stalls for a second.
 */
const SAMPLE_MS = 3000
/** How often the event loop's delay is looked at, in milliseconds: it is part of what is measured. */
const RESOLUTION_MS = 10

/**
 * Measures the event loop and the heap. It opens no file for that: `process.memoryUsage`, which @fastify/under-pressure calls, throws
 * where the process is out of file descriptors.
 */
export default fp(async (app, { maxDelay, maxHeap }: PressureDeps) => {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let isUnderPressure = false
  const timer = setInterval(() => {
    // Without a single look since the last sample the mean is NaN: the loop stood still.
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

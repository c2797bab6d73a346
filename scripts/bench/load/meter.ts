import { createHistogram, monitorEventLoopDelay, type Histogram } from 'node:perf_hooks'
import { cpuOf, cpuOfTree } from '../proc.ts'
import type { Percentiles, PublishPlan } from './protocol.ts'

/** Milliseconds between two checks of the event loop's delay. */
const LAG_RESOLUTION = 5

/** Measures from `start` to `stop`: latencies (reported to it in microseconds), CPU time, and the delay of the generator's event loop. */
export function createMeter ({ serverPids, databasePid }: Pick<PublishPlan, 'serverPids' | 'databasePid'>) {
  const latency = createHistogram()
  const ackLatency = createHistogram()
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION })
  let running = false
  let begun = { at: 0, server: 0, database: 0, generator: 0 }

  const read = () => ({
    at: performance.now(),
    server: serverPids.reduce((sum, pid) => sum + cpuOf(pid), 0),
    database: databasePid === null ? 0 : cpuOfTree(databasePid),
    generator: ownCpu()
  })

  return {
    start (): void {
      lag.enable()
      begun = read()
      running = true
    },

    delivered (microseconds: number): void {
      if (running) latency.record(Math.max(1, microseconds))
    },

    acked (microseconds: number): void {
      if (running) ackLatency.record(Math.max(1, microseconds))
    },

    stop () {
      running = false
      lag.disable()
      const ended = read()
      return {
        seconds: (ended.at - begun.at) / 1000,
        latency: percentiles(latency, 1000),
        ackLatency: percentiles(ackLatency, 1000),
        lag: percentiles(lag, 1_000_000, LAG_RESOLUTION),
        cpu: {
          server: ended.server - begun.server,
          database: ended.database - begun.database,
          generator: ended.generator - begun.generator
        }
      }
    }
  }
}

export type Meter = ReturnType<typeof createMeter>

function ownCpu (): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000_000
}

/** `unit` is the number of histogram units in a millisecond. `floor` is subtracted: the milliseconds that even a perfect run shows. */
function percentiles (histogram: Histogram, unit: number, floor = 0): Percentiles {
  if (histogram.count === 0) return { p50: 0, p99: 0, max: 0 }
  const round = (value: number): number => Math.max(0, Math.round((value / unit - floor) * 1000) / 1000)
  return { p50: round(histogram.percentile(50)), p99: round(histogram.percentile(99)), max: round(histogram.max) }
}

import { Counter, Gauge, type Aggregator, type Metric, type Registry } from 'prom-client'
import type { Histogram } from '../histogram.ts'

export type Definitions = ReturnType<typeof createDefinitions>

/** Defines metrics whose values are read when they are asked for. Values of several workers are summed unless an aggregator is given. */
export function createDefinitions (registry: Registry) {
  const registers = [registry]
  const fill = (metric: Counter | Gauge, label: string, values: Record<string, number>): void => {
    metric.reset()
    for (const [value, count] of Object.entries(values)) metric.inc({ [label]: value }, count)
  }
  return {
    gauge (name: string, help: string, read: () => number, aggregator: Aggregator = 'sum') {
      return new Gauge({ name, help, aggregator, registers, collect () { this.set(read()) } })
    },

    counter (name: string, help: string, read: () => number) {
      return new Counter({
        name,
        help,
        registers,
        collect () {
          this.reset()
          this.inc(read())
        }
      })
    },

    /** A gauge with one value for each value of a label. */
    gauges (name: string, help: string, label: string, read: () => Record<string, number>) {
      return new Gauge({ name, help, labelNames: [label], registers, collect () { fill(this, label, read()) } })
    },

    counters (name: string, help: string, label: string, read: () => Record<string, number>) {
      return new Counter({ name, help, labelNames: [label], registers, collect () { fill(this, label, read()) } })
    },

    /** The library's own histogram cannot read its values from elsewhere. A registry needs only these few members of a metric. */
    histogram (name: string, help: string, source: Histogram) {
      const head = { name, help, type: 'histogram', aggregator: 'sum' }
      registry.registerMetric({ ...head, get: async () => ({ ...head, values: valuesOf(name, source) }) } as unknown as Metric)
    }
  }
}

function valuesOf (name: string, { bounds, counts, sum }: Histogram) {
  let count = 0
  const buckets = [...bounds, '+Inf'].map((le, i) => {
    count += counts[i]!
    return { metricName: `${name}_bucket`, labels: { le }, value: count }
  })
  return [...buckets, { metricName: `${name}_sum`, labels: {}, value: sum }, { metricName: `${name}_count`, labels: {}, value: count }]
}

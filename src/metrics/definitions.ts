import { Counter, Gauge, type Metric, type Registry } from 'prom-client'
import type { Histogram } from '../histogram.ts'
import { metrics, type MetricName } from '../schemas/metrics.ts'

export type Definitions = ReturnType<typeof createDefinitions>

/** The names of the metrics of one type. */
type NameOf<T> = { [N in MetricName]: typeof metrics[N]['type'] extends T ? N : never }[MetricName]

/** Returns what the library has to know of a metric besides its values. */
export function describe (name: MetricName) {
  const { help, labels, aggregator } = metrics[name]
  return { name, help, aggregator, labelNames: Object.keys(labels) }
}

/** Defines metrics of src/schemas/metrics.ts whose values are read when they are asked for. */
export function createDefinitions (registry: Registry) {
  const registers = [registry]
  const fill = (metric: Counter | Gauge, name: MetricName, values: Record<string, number>): void => {
    const [label] = Object.keys(metrics[name].labels)
    metric.reset()
    for (const [value, count] of Object.entries(values)) metric.inc({ [label!]: value }, count)
  }
  return {
    gauge (name: NameOf<'gauge'>, read: () => number) {
      return new Gauge({ ...describe(name), registers, collect () { this.set(read()) } })
    },

    counter (name: NameOf<'counter'>, read: () => number) {
      return new Counter({
        ...describe(name),
        registers,
        collect () {
          this.reset()
          this.inc(read())
        }
      })
    },

    /** A gauge with one value for each value of its only label. */
    gauges (name: NameOf<'gauge'>, read: () => Record<string, number>) {
      return new Gauge({ ...describe(name), registers, collect () { fill(this, name, read()) } })
    },

    counters (name: NameOf<'counter'>, read: () => Record<string, number>) {
      return new Counter({ ...describe(name), registers, collect () { fill(this, name, read()) } })
    },

    /** The library's own histogram cannot read its values from elsewhere. A registry needs only these few members of a metric. */
    histogram (name: NameOf<'histogram'>, source: Histogram) {
      const head = { ...describe(name), type: 'histogram' }
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

import { collectDefaultMetrics, Gauge, Registry, type Aggregator } from 'prom-client'
import type { Hub } from '../realtime/hub.ts'

/** What the metrics are read from, when somebody asks for them and not before. */
export interface MetricsSources {
  hub: Hub
}

/**
 * A registry of its own for each application. `aggregator` says how the values of several workers become one: they are added up,
 * where nothing else is said.
 */
export function createRegistry ({ hub }: MetricsSources): Registry {
  const registry = new Registry()
  const gauge = (name: string, help: string, read: () => number, aggregator: Aggregator = 'sum') =>
    new Gauge({ name, help, aggregator, registers: [registry], collect () { this.set(read()) } })

  collectDefaultMetrics({ register: registry })
  gauge('parley_connections', 'WebSocket connections open', () => hub.size)
  return registry
}

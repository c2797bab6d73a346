import { getHeapStatistics } from 'node:v8'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'
import type { Broker } from '../broker/broker.ts'
import { SECONDS } from '../histogram.ts'
import type { Descriptors } from '../plugins/descriptors.ts'
import type { OnAnswered } from '../plugins/request-log.ts'
import type { Presence } from '../presence/presence.ts'
import type { OutboundMemory } from '../connections/backlog.ts'
import type { Hub } from '../connections/hub.ts'
import type { InboxBudget } from '../connections/inbox-budget.ts'
import type { Traffic } from '../connections/traffic.ts'
import type { Publisher } from '../services/publisher.ts'
import type { Database } from '../store/client.ts'
import { createDefinitions, describe, type Definitions } from './definitions.ts'

/** Sources of the metrics. They only count in plain numbers, which are read when somebody asks for the metrics. */
export interface MetricsSources {
  maxConnections: number
  hub: Hub
  inboxes: InboxBudget
  outbound: OutboundMemory
  traffic: Traffic
  publisher: Publisher
  broker: Broker
  presence: Presence
  database: Database
  descriptors: Descriptors
}

/** Metrics of the event loop's lag. The worst lag of all workers matters, but the library reports their mean. */
const LAGS = ['', '_mean', '_p50', '_p90', '_p99'].map(part => `nodejs_eventloop_lag${part}_seconds`)

/** Creates the metrics of one application. `onAnswered` has to be called for every HTTP request that it answers. */
export function createMetrics (sources: MetricsSources): { registry: Registry, onAnswered: OnAnswered } {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const define = createDefinitions(registry)
  define.gauge('parley_heap_limit_bytes', () => getHeapStatistics().heap_size_limit)
  for (const name of LAGS) Object.assign(registry.getSingleMetric(name)!, { aggregator: 'max' })
  connections(define, sources)
  messages(define, sources)
  drivers(define, sources)

  const requests = new Histogram({
    ...describe('parley_http_request_seconds'),
    buckets: SECONDS,
    registers: [registry]
  })
  return {
    registry,
    onAnswered: (route, method, status, seconds) => requests.observe({ route, method, status }, seconds)
  }
}

function connections ({ gauge, counter, gauges, counters }: Definitions, sources: MetricsSources): void {
  const { maxConnections, hub, inboxes, outbound, traffic, descriptors } = sources
  gauge('parley_connections', () => hub.size)
  gauge('parley_connections_max', () => maxConnections)
  counter('parley_connections_opened_total', () => traffic.opened)
  counters('parley_closes_total', () => traffic.closes)
  counters('parley_upgrades_refused_total', () => traffic.refused)
  counter('parley_origins_refused_total', () => traffic.originsRefused)
  counter('parley_connections_dropped_total', () => descriptors.dropped)
  gauges('parley_sessions', () => {
    const states = { open: 0, authenticated: 0, closing: 0 }
    for (const { state } of hub.sessions()) states[state.phase]++
    return states
  })
  gauge('parley_subscriptions', () => {
    let count = 0
    for (const { subscriptions } of hub.sessions()) count += subscriptions.size
    return count
  })
  gauge('parley_channels', () => [...hub.channels()].length)
  gauge('parley_inbox_bytes', () => inboxes.used)
  gauge('parley_outbound_waiting_bytes', () => outbound.bytes)
  counter('parley_received_bytes_total', () => {
    let bytes = traffic.bytesReceived
    for (const { transport } of hub.sessions()) bytes += transport.bytesReceived
    return bytes
  })
  counter('parley_sent_bytes_total', () => {
    let bytes = traffic.bytesSent
    for (const { transport } of hub.sessions()) bytes += transport.bytesSent
    return bytes
  })
}

function messages ({ gauge, counter, counters, histogram }: Definitions, { traffic, publisher }: MetricsSources): void {
  counters('parley_frames_received_total', () => traffic.received)
  counters('parley_frames_sent_total', () => {
    const error = Object.values(traffic.errors).reduce((sum, count) => sum + count)
    return { ...traffic.sent, error }
  })
  counters('parley_errors_total', () => traffic.errors)
  gauge('parley_publish_queue_messages', () => publisher.backlog().messages)
  gauge('parley_publish_queue_age_seconds', () => publisher.backlog().age)
  histogram('parley_batch_messages', publisher.batchSizes)
  histogram('parley_commit_seconds', publisher.commitSeconds)
  histogram('parley_delivery_seconds', traffic.delivery)
  counter('parley_gaps_found_total', () => traffic.gaps.found)
  counter('parley_gaps_repaired_total', () => traffic.gaps.repaired)
}

function drivers ({ gauge, counter, gauges }: Definitions, { broker, presence, database }: MetricsSources): void {
  gauge('parley_bus_connected', () => Number(broker.connected))
  counter('parley_bus_dropped_messages_total', () => broker.dropped)
  gauge('parley_presence_users', () => presence.size)
  if (!database.pool()) return
  gauges('parley_database_connections', () => {
    const { used, idle } = database.pool()!
    return { used, idle }
  })
  gauge('parley_database_connections_max', () => database.pool()!.max)
  gauge('parley_database_waiting_requests', () => database.pool()!.waiting)
}

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
import { createDefinitions, type Definitions } from './definitions.ts'

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
  define.gauge('parley_heap_limit_bytes', 'Heap that V8 may use', () => getHeapStatistics().heap_size_limit)
  for (const name of LAGS) Object.assign(registry.getSingleMetric(name)!, { aggregator: 'max' })
  connections(define, sources)
  messages(define, sources)
  drivers(define, sources)

  const requests = new Histogram({
    name: 'parley_http_request_seconds',
    help: 'HTTP requests, by route pattern, method and status',
    labelNames: ['route', 'method', 'status'],
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
  gauge('parley_connections', 'WebSocket connections open', () => hub.size)
  gauge('parley_connections_max', 'WebSocket connections that may be open', () => maxConnections)
  counter('parley_connections_opened_total', 'WebSocket connections opened', () => traffic.opened)
  counters('parley_closes_total', 'WebSocket connections ended, by close code', 'code', () => traffic.closes)
  counters('parley_upgrades_refused_total', 'WebSocket upgrades refused, by error code', 'reason', () => traffic.refused)
  counter('parley_origins_refused_total', 'Upgrades and requests of pages whose origin is not allowed', () => traffic.originsRefused)
  counter('parley_connections_dropped_total', 'Connections dropped for want of descriptors', () => descriptors.dropped)
  gauges('parley_sessions', 'WebSocket connections open, by state', 'state', () => {
    const states = { open: 0, authenticated: 0, closing: 0 }
    for (const { state } of hub.sessions()) states[state.phase]++
    return states
  })
  gauge('parley_subscriptions', 'Channels that connections are subscribed to, counted once per connection', () => {
    let count = 0
    for (const { subscriptions } of hub.sessions()) count += subscriptions.size
    return count
  })
  gauge('parley_channels', 'Channels with a subscriber here', () => [...hub.channels()].length)
  gauge('parley_inbox_bytes', 'Bytes of requests that wait for their turn', () => inboxes.used)
  gauge('parley_outbound_waiting_bytes', 'Bytes that wait for sockets that fell behind, shared ones counted once', () => outbound.bytes)
  counter('parley_received_bytes_total', 'Bytes that came over WebSocket connections, upgrade included', () => {
    let bytes = traffic.bytesReceived
    for (const { transport } of hub.sessions()) bytes += transport.bytesReceived
    return bytes
  })
  counter('parley_sent_bytes_total', 'Bytes that went over WebSocket connections, upgrade included', () => {
    let bytes = traffic.bytesSent
    for (const { transport } of hub.sessions()) bytes += transport.bytesSent
    return bytes
  })
}

function messages ({ gauge, counter, counters, histogram }: Definitions, { traffic, publisher }: MetricsSources): void {
  counters('parley_frames_received_total', 'Frames of clients, by type or command', 'type', () => traffic.received)
  counters('parley_frames_sent_total', 'Frames to clients, by type; entry: messages, edits, deletions', 'type', () => {
    const error = Object.values(traffic.errors).reduce((sum, count) => sum + count)
    return { ...traffic.sent, error }
  })
  counters('parley_errors_total', 'Error replies over WebSocket, by code', 'code', () => traffic.errors)
  gauge('parley_publish_queue_messages', 'Messages that wait for their commit to begin', () => publisher.backlog().messages)
  gauge('parley_publish_queue_age_seconds', 'Age of the oldest that waits or is being committed', () => publisher.backlog().age, 'max')
  histogram('parley_batch_messages', 'Messages of one commit', publisher.batchSizes)
  histogram('parley_commit_seconds', 'Database round trips that store messages', publisher.commitSeconds)
  histogram('parley_delivery_seconds', 'From queueing to the writes to sockets here, once per channel and batch', traffic.delivery)
  counter('parley_gaps_found_total', 'Runs of entries that the bus did not bring in time', () => traffic.gaps.found)
  counter('parley_gaps_repaired_total', 'Of these, filled since', () => traffic.gaps.repaired)
}

function drivers ({ gauge, counter, gauges }: Definitions, { broker, presence, database }: MetricsSources): void {
  gauge('parley_bus_connected', '1 while the other instances can be reached', () => Number(broker.connected), 'min')
  counter('parley_bus_dropped_messages_total', 'Messages that were not sent to the other instances', () => broker.dropped)
  gauge('parley_presence_users', 'Users known to be online, counted once per channel', () => presence.size)
  if (!database.pool()) return
  gauges('parley_database_connections', 'Connections of the pool, by state', 'state', () => {
    const { used, idle } = database.pool()!
    return { used, idle }
  })
  gauge('parley_database_connections_max', 'Connections that the pool may have', () => database.pool()!.max)
  gauge('parley_database_waiting_requests', 'Requests that wait for a connection', () => database.pool()!.waiting)
}

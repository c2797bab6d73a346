import { Type, type TSchema } from '@sinclair/typebox'

/** How the values of several workers become one: by default they are summed. */
type Aggregator = 'sum' | 'max' | 'min'
type Kind = 'counter' | 'gauge' | 'histogram'

/** The description of a metric, without its values. `npm run generate` makes docs/metrics.md of it. */
export interface MetricSchema<K extends Kind = Kind> {
  type: K
  help: string
  /** The labels, each with the schema of its values. */
  labels: Record<string, TSchema>
  aggregator: Aggregator
}

function metric<K extends Kind> (type: K) {
  return (help: string, labels: Record<string, TSchema> = {}, aggregator: Aggregator = 'sum'): MetricSchema<K> =>
    ({ type, help, labels, aggregator })
}

const counter = metric('counter')
const gauge = metric('gauge')
const histogram = metric('histogram')

const words = (...values: string[]): TSchema => Type.Union(values.map(value => Type.Literal(value)))
const text = (description: string): TSchema => Type.String({ description })

/** Every metric of Parley itself. Those of Node come from prom-client. */
export const metrics = {
  parley_heap_limit_bytes: gauge('Bytes of heap that V8 may use'),

  parley_connections: gauge('WebSocket connections open'),
  parley_connections_max: gauge('WebSocket connections that may be open'),
  parley_connections_opened_total: counter('WebSocket connections opened'),
  parley_closes_total: counter('WebSocket connections ended, by close code', { code: text('a close code of the protocol') }),
  parley_upgrades_refused_total: counter('WebSocket upgrades refused, by error code', { reason: text('an error code of the protocol') }),
  parley_origins_refused_total: counter('Upgrades and requests of pages whose origin is not allowed'),
  parley_connections_dropped_total: counter('Connections dropped because file descriptors ran out'),
  parley_sessions: gauge('WebSocket connections open, by state', { state: words('open', 'authenticated', 'closing') }),
  parley_subscriptions: gauge('Channels that connections are subscribed to, counted once per connection'),
  parley_channels: gauge('Channels with a subscriber on this instance'),
  parley_inbox_bytes: gauge('Bytes of requests that wait for their turn'),
  parley_outbound_waiting_bytes: gauge('Bytes that wait for sockets that fell behind, shared ones counted once'),
  parley_received_bytes_total: counter('Bytes that came over WebSocket connections, upgrade included'),
  parley_sent_bytes_total: counter('Bytes that went over WebSocket connections, upgrade included'),

  parley_frames_received_total: counter('Frames of clients, by type or command', {
    type: text('a type of request, a command, unknown or invalid')
  }),
  parley_frames_sent_total: counter('Frames to clients, by type', {
    type: text('a type of frame, or entry: a message, edit, deletion or reaction')
  }),
  parley_errors_total: counter('Error replies over WebSocket, by code', { code: text('an error code of the protocol') }),
  parley_publish_queue_messages: gauge('Messages that wait for their commit to begin'),
  parley_publish_queue_age_seconds: gauge('Age of the oldest message that waits or is being committed', {}, 'max'),
  parley_batch_messages: histogram('Messages of one commit'),
  parley_commit_seconds: histogram('Seconds of the database round trips that store messages'),
  parley_delivery_seconds: histogram('Seconds from queueing to the writes to sockets of this instance, once per channel and batch'),
  parley_gaps_found_total: counter('Runs of entries that the bus did not bring in time'),
  parley_gaps_repaired_total: counter('Runs of missing entries that were filled from the database'),

  parley_bus_connected: gauge('1 while the other instances can be reached', {}, 'min'),
  parley_bus_dropped_messages_total: counter('Messages that were not sent to the other instances'),
  parley_presence_users: gauge('Users known to be online, counted once per channel'),
  parley_database_connections: gauge('Connections of the pool, by state; only with PostgreSQL', { state: words('used', 'idle') }),
  parley_database_connections_max: gauge('Connections that the pool may have; only with PostgreSQL'),
  parley_database_waiting_requests: gauge('Requests that wait for a connection; only with PostgreSQL'),

  parley_http_request_seconds: histogram('Seconds of HTTP requests, by route pattern, method and status', {
    route: text('a route pattern such as /api/channels/:name'), method: text('GET, POST, …'), status: text('the status code')
  })
} satisfies Record<string, MetricSchema>

export type MetricName = keyof typeof metrics

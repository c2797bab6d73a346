import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Choice, Timestamp, Uuid } from './common.ts'

const MAX = Number.MAX_SAFE_INTEGER
const orNull = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

const count = Type.Integer({ minimum: 0, maximum: MAX })
const bytes = Type.Integer({ minimum: 0, maximum: MAX })
const ms = Type.Number({ minimum: 0, maximum: MAX, description: 'milliseconds' })
/** Events since the start of the instance, and how many there were a second within the window. */
const Flow = Type.Object({ total: count, per_second: Type.Number({ minimum: 0, maximum: MAX }) })
const Spread = Type.Object({ p50_ms: orNull(ms), p99_ms: orNull(ms) }, {
  description: 'within the window, interpolated in the buckets of the histogram; null if there was nothing to measure'
})

/** The numbers of one instance, measured once a second while an admin wants them [P77]. */
export const Stats = Type.Object({
  instance: Uuid,
  started_at: Timestamp,
  at: Timestamp,
  window_ms: Type.Integer({ minimum: 1, maximum: MAX, description: 'milliseconds that rates and percentiles are about' }),
  connections: Type.Object({ open: count, max: count, authenticated: count, behind: count, opened_total: count }),
  users_online: count,
  subscriptions: count,
  channels: count,
  publishes: Flow,
  deliveries: Flow,
  errors: Flow,
  delivery: Spread,
  commit: Spread,
  queue: Type.Object({ messages: count, oldest_ms: ms }),
  inbound_bytes: bytes,
  outbound_bytes: bytes,
  slow_consumers_total: count,
  gaps: Type.Object({ found_total: count, repaired_total: count }),
  database: Type.Object({
    kind: Choice(['postgresql', 'pglite']),
    up: Type.Boolean(),
    full: Type.Boolean(),
    ping_ms: orNull(ms),
    pool: orNull(Type.Object({ used: count, idle: count, waiting: count, max: count }))
  }),
  bus: Type.Object({ driver: Choice(['memory', 'redis']), up: Type.Boolean(), dropped_total: count }),
  event_loop: Type.Object({
    p50_ms: orNull(ms), p99_ms: orNull(ms), utilization: Type.Number({ minimum: 0, maximum: 1, examples: [0.25] })
  }),
  memory: Type.Object({ rss_bytes: orNull(bytes), heap_used_bytes: bytes, heap_limit_bytes: bytes })
}, { $id: 'Stats' })
export type Stats = Static<typeof Stats>

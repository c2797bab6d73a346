import type { CrowdPlan } from './crowd.ts'

export type { CrowdPlan } from './crowd.ts'

/** An order to the generator's process, which carries out one order at a time. */
export type Order =
  /** `tokensFile` holds a JSON array of access tokens, one per connection, in the order of the connections. */
  | { do: 'open', crowd: Omit<CrowdPlan, 'tokens'>, tokensFile: string | null }
  | { do: 'publish', plan: PublishPlan }
  | { do: 'pace', plan: PacePlan }
  /** Drops all connections at the same time, then opens all of them again at the same time. */
  | { do: 'storm' }
  | { do: 'drop' }

export interface PublishPlan {
  /** The number of connections that publish. They are spread evenly over all connections. */
  publishers: number
  /**
   * In a closed loop, each publisher keeps `inFlight` messages unanswered. `until` says what answers a message: its ack, or the copy that
   * the publisher receives. In an open loop, all publishers together send `rate` messages per second.
   */
  pace: { inFlight: number, until: 'ack' | 'echo' } | { rate: number }
  /** Whether the server acks messages. */
  acked: boolean
  /** Seconds of warming up, then of measuring. */
  warmUp: number
  measure: number
  /** Process ids whose CPU time is read at the start and the end of the measured window: the server's, and PostgreSQL's postmaster. */
  serverPids: number[]
  databasePid: number | null
}

/** Values are those of the measured window, unless stated otherwise. */
export interface PublishResult {
  seconds: number
  sent: number
  acked: number
  delivered: number
  /** Expected deliveries that were not received, including those of the warm-up. */
  missing: number
  /** Time from publishing to delivery: on all connections in an open loop, only on those of publishers in a closed loop. */
  latency: Percentiles
  /** Time from publishing to ack, only in a closed loop with `until: 'ack'`. */
  ackLatency: Percentiles
  /** CPU seconds. */
  cpu: { server: number, database: number, generator: number }
  /** Delay of the generator's event loop. */
  lag: Percentiles
}

/** All connections publish in turn, `rate` messages per second in all, for so many seconds. */
export interface PacePlan { rate: number, seconds: number }

/** Counts of everything that was sent. The order ends when all of it has been received and acked. */
export interface PaceResult { sent: number, delivered: number }

/** Milliseconds. */
export interface Percentiles { p50: number, p99: number, max: number }

export type Result = PublishResult | PaceResult | { seconds: number } | null

export type Reply = { result: Result } | { error: string }

import type { CrowdPlan } from './crowd.ts'

export type { CrowdPlan } from './crowd.ts'

/** What the generator's process is asked to do, one thing at a time. */
export type Order =
  /** `tokensFile`: JSON, an array of access tokens; the first connection takes the first. */
  | { do: 'open', crowd: Omit<CrowdPlan, 'tokens'>, tokensFile: string | null }
  | { do: 'publish', plan: PublishPlan }
  /** Drops all connections at once and opens them again, all at once. */
  | { do: 'storm' }
  | { do: 'drop' }

export interface PublishPlan {
  /** Spread evenly over the connections. */
  publishers: number
  /**
   * Closed loop: each publisher keeps `inFlight` messages unanswered, and `until` says what answers one: its ack, or its own copy of
   * the message. Open loop: `rate` messages a second in all.
   */
  pace: { inFlight: number, until: 'ack' | 'echo' } | { rate: number }
  /** Does the server ack messages? */
  acked: boolean
  /** Seconds. */
  warmUp: number
  measure: number
  /** Process ids whose CPU is read at both ends of the measured window: the server's, and the database's (its postmaster). */
  serverPids: number[]
  databasePid: number | null
}

/** Of the measured window, unless said otherwise. */
export interface PublishResult {
  seconds: number
  sent: number
  acked: number
  delivered: number
  /** Deliveries that never came, of all that were published, warm-up included. */
  missing: number
  /** From publishing to delivery, on every connection at a fixed rate, on the publishers' (spread evenly) in a closed loop. */
  latency: Percentiles
  /** From publishing to ack, closed loop with `until: 'ack'` only. */
  ackLatency: Percentiles
  /** CPU seconds. */
  cpu: { server: number, database: number, generator: number }
  /** How late the generator's event loop was. */
  lag: Percentiles
}

/** Milliseconds. */
export interface Percentiles { p50: number, p99: number, max: number }

export type Result = PublishResult | { seconds: number } | null

export type Reply = { result: Result } | { error: string }

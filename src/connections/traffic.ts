import { closeTable, errorTable, type ErrorCode } from '../errors.ts'
import { Histogram, SECONDS } from '../histogram.ts'
import type { RequestKind } from '../requests/envelope.ts'

/** The kind of a frame from a client; `invalid` if it cannot be read as a request. */
export type Received = RequestKind | 'invalid'
/**
 * The kind of a frame to a client: its `type`, `entry` for a frame of a channel's sequence, or `notice` for other unrequested frames.
 * Error replies are counted by their codes instead.
 */
export type Sent = 'welcome' | 'success' | 'heartbeat_ack' | 'channel_list' | 'user_list' | 'entry' | 'notice'

/** Close codes of RFC 6455 that a connection may end with, besides the protocol's own codes. */
const STANDARD_CLOSES = [1000, 1001, 1002, 1005, 1006, 1007, 1008]

export type Traffic = ReturnType<typeof createTraffic>

/**
 * Counters of what this instance's connections have done so far. All counters exist from the start, so counting is only an addition.
 * `requests`: the names of all requests that clients may send.
 */
export function createTraffic (requests: string[]) {
  return {
    opened: 0,
    received: zeros<Received>([...requests, 'unknown', 'invalid'] as Received[]),
    sent: zeros<Sent>(['welcome', 'success', 'heartbeat_ack', 'channel_list', 'user_list', 'entry', 'notice']),
    /** Error replies, by error code. */
    errors: zeros(Object.keys(errorTable) as ErrorCode[]),
    /** Ended connections, by close code; any other code that a client sends counts as `other`. */
    closes: zeros([...STANDARD_CLOSES, ...Object.values(closeTable).map(({ code }) => code)].map(String).concat('other')),
    /** Upgrades that were answered with an error, by error code. */
    refused: zeros(['not_authorized', 'invalid_request', 'rate_limited', 'busy', 'other']),
    /** Upgrades and REST requests of pages whose origin is not allowed. */
    originsRefused: 0,
    /** Bytes of connections that have ended. */
    bytesReceived: 0,
    bytesSent: 0,
    /** Gaps in a channel's sequence, where the bus did not bring entries in time. Consecutive missing entries count once. */
    gaps: { found: 0, repaired: 0 },
    /** Seconds from the queueing of a batch's oldest message until the batch's entries of one channel are written. */
    delivery: new Histogram(SECONDS)
  }
}

export function countRefusal ({ refused }: Traffic, code: string): void {
  refused[code in refused ? code as keyof Traffic['refused'] : 'other']++
}

/** Summary of an ended connection for the log. It contains no name, no email and no text from the client. */
export interface Life {
  connection: string
  user: string | undefined
  address: string
  seconds: number
  code: number
  /** Set only if the server closed the connection. */
  reason: string | undefined
  framesReceived: number
  framesSent: number
  bytesReceived: number
  bytesSent: number
}

export function countEnd (traffic: Traffic, { code, reason, bytesReceived, bytesSent }: Life): void {
  // A client may also send the protocol's own codes, which count as `other` then.
  const isKnown = code in traffic.closes && (reason !== undefined || code < 3000)
  traffic.closes[isKnown ? code : 'other']!++
  traffic.bytesReceived += bytesReceived
  traffic.bytesSent += bytesSent
}

function zeros<K extends string> (keys: K[]): Record<K, number> {
  return Object.fromEntries(keys.map(key => [key, 0])) as Record<K, number>
}

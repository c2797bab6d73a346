import { closeTable, errorTable, type ErrorCode } from '../errors.ts'
import { Histogram, SECONDS } from '../histogram.ts'
import type { RequestKind } from '../requests/envelope.ts'

/** A frame of a client, `invalid` where it is none; see `RequestKind`. */
export type Received = RequestKind | 'invalid'
/** A frame to a client, by its `type`, or what stands for several: `entry` of a channel's sequence, `notice` of none. Errors have codes. */
export type Sent = 'welcome' | 'success' | 'heartbeat_ack' | 'channel_list' | 'user_list' | 'entry' | 'notice'

/** Close codes of RFC 6455 that a connection may end with besides our own. */
const STANDARD_CLOSES = [1000, 1001, 1002, 1005, 1006, 1007, 1008]

export type Traffic = ReturnType<typeof createTraffic>

/**
 * What this instance's connections have done so far. Numbers only, all of them there from the start, so that counting is adding.
 * `requests`: the names of everything that clients may ask.
 */
export function createTraffic (requests: string[]) {
  return {
    opened: 0,
    received: zeros<Received>([...requests, 'unknown', 'invalid'] as Received[]),
    sent: zeros<Sent>(['welcome', 'success', 'heartbeat_ack', 'channel_list', 'user_list', 'entry', 'notice']),
    /** Error replies. */
    errors: zeros(Object.keys(errorTable) as ErrorCode[]),
    /** By code; whatever else a client may think of is `other`. */
    closes: zeros([...STANDARD_CLOSES, ...Object.values(closeTable).map(({ code }) => code)].map(String).concat('other')),
    /** Upgrades that were answered by an error, by its code. */
    refused: zeros(['not_authorized', 'invalid_request', 'rate_limited', 'busy', 'other']),
    /** Of connections that have ended. */
    bytesReceived: 0,
    bytesSent: 0,
    /** Entries that the bus did not bring in time, a run of them counted once. */
    gaps: { found: 0, repaired: 0 },
    /** Seconds from the queueing of a batch's oldest message to the writes of one of its channels' entries. */
    delivery: new Histogram(SECONDS)
  }
}

export function countRefusal ({ refused }: Traffic, code: string): void {
  refused[code in refused ? code as keyof Traffic['refused'] : 'other']++
}

/** One connection from its beginning to its end, as it may be logged: no name, no email, no word of the client's. */
export interface Life {
  connection: string
  user: string | undefined
  address: string
  seconds: number
  code: number
  /** Where we closed it. */
  reason: string | undefined
  framesReceived: number
  framesSent: number
  bytesReceived: number
  bytesSent: number
}

export function countEnd (traffic: Traffic, { code, reason, bytesReceived, bytesSent }: Life): void {
  // A client may send our own codes, too.
  const isKnown = code in traffic.closes && (reason !== undefined || code < 3000)
  traffic.closes[isKnown ? code : 'other']!++
  traffic.bytesReceived += bytesReceived
  traffic.bytesSent += bytesSent
}

function zeros<K extends string> (keys: K[]): Record<K, number> {
  return Object.fromEntries(keys.map(key => [key, 0])) as Record<K, number>
}

import type { ControlAction } from '../schemas/bus.ts'

/**
 * The message bus between instances: a hint that something happened, never the proof that it did. What it loses,
 * the sequence check finds again [P33]; so `publish` neither waits nor fails.
 */
export interface Broker {
  /**
   * Hands `event` to this instance's own subscription before it returns, then to every other subscribed instance, at
   * most once, in publishing order per topic. The echo of one's own event is dropped. `elsewhere` leaves out this instance.
   */
  publish (topic: Topic, event: BusEvent, scope?: 'everyone' | 'elsewhere'): void
  /** Takes effect at once for this instance's own events; for others' when `onSubscribed` says so. Idempotent. */
  subscribe (topic: Topic): void
  unsubscribe (topic: Topic): void
  /** False while the other instances cannot be reached. */
  readonly connected: boolean
  /** Messages that the other instances were not sent, so far: no room, no connection, or refused. */
  readonly dropped: number
  /** Starts delivering. Resolves as soon as the outcome of a first attempt to connect is known. */
  start (handlers: BrokerHandlers): Promise<void>
  /** Ends every connection; nothing is delivered afterwards. */
  close (): Promise<void>
}

export interface BrokerHandlers {
  /**
   * `isOwn`: this instance published the event itself, after a commit, so it may be acted on. Any other is only a hint [P60]: whoever can
   * write to the bus may have made it up. Throws for one that cannot be an event of ours; it is then dropped with a warning.
   */
  onEvent (topic: Topic, event: BusEvent, isOwn: boolean): void
  /** Events published before this moment may be missing: first subscription, and each one after a lost connection. */
  onSubscribed (topics: Topic[]): void
  onConnected (connected: boolean): void
}

/** `channel:<id>`, `user:<id>`, or everyone. */
export type Topic = `channel:${string}` | `user:${string}` | 'broadcast'

/** A run of consecutive entries of one channel. */
export interface EntriesEvent {
  kind: 'entries'
  /** `seq` of the first; the n-th has `firstSeq + n`. */
  firstSeq: number
  /** Finished WebSocket frames, joined. */
  frames: Buffer
  /** Where each frame ends in `frames`, in bytes. */
  ends: number[]
  /** What tells each entry from another one with its `seq`: `keyOf` the entry. The bus does not carry it, as the frames say it. */
  keys?: string[]
  /** Came over the bus and has not been held against the database. */
  isHint?: boolean
  /** When the oldest message of their batch was queued, on the clock of `performance.now()`; known on its own instance only. */
  queuedAt?: number
}

/** Finished frames outside the sequence (presence, notices, announcements), joined, for all of the topic's connections. */
export interface NoticeEvent {
  kind: 'notice'
  frame: Buffer
  /** Id of a connection of this instance that is not told: it has its reply. Not sent to the others. */
  except?: string
}

/** Something happened that connections must act on. */
export interface ControlEvent {
  kind: 'control'
  action: ControlAction
}

export type { ControlAction }

export type BusEvent = EntriesEvent | NoticeEvent | ControlEvent

import type { ControlAction } from '../schemas/bus.ts'

/**
 * The message bus between instances. Its events are hints that something happened, never proof. The reconciler finds what the bus loses
 * in the database [P33], so `publish` neither waits nor fails.
 */
export interface Broker {
  /**
   * Hands `event` to this instance's own subscription before it returns, then to every other subscribed instance, at most once and in
   * publishing order per topic. An instance ignores the echo of its own event. `elsewhere` leaves out this instance.
   */
  publish (topic: Topic, event: BusEvent, scope?: 'everyone' | 'elsewhere'): void
  /** Takes effect at once for events of this instance, and for events of others when `onSubscribed` reports it. Idempotent. */
  subscribe (topic: Topic): void
  unsubscribe (topic: Topic): void
  /** False while the other instances cannot be reached. */
  readonly connected: boolean
  /** Number of messages so far that did not reach Redis: the queue was full, the connection was missing, or Redis refused them. */
  readonly dropped: number
  /** Starts delivering events. Resolves as soon as the outcome of the first attempt to connect is known. */
  start (handlers: BrokerHandlers): Promise<void>
  /** Ends every connection; nothing is delivered afterwards. */
  close (): Promise<void>
}

export interface BrokerHandlers {
  /**
   * `isOwn`: this instance published the event itself, after a commit, so it may act on it. Any other event is only a hint [P60], because
   * anyone who can write to the bus may have made it up. Throws for an event that no instance publishes; it is dropped with a warning.
   */
  onEvent (topic: Topic, event: BusEvent, isOwn: boolean): void
  /** Called after the first subscription to a topic and after each reconnection: events published before this call may be missing. */
  onSubscribed (topics: Topic[]): void
  onConnected (connected: boolean): void
}

/**
 * One channel (`channel:<id>`), one user (`user:<id>`), everyone, all connections that asked for activity [P44], all instances, which
 * hear whether somebody watches their numbers, or the instances whose admins do [P78].
 */
export type Topic = `channel:${string}` | `user:${string}` | 'broadcast' | 'activity' | 'watchers' | 'stats'

/** A run of consecutive entries of one channel. */
export interface EntriesEvent {
  kind: 'entries'
  /** The `seq` of the first entry. The entry at index n has `firstSeq + n`. */
  firstSeq: number
  /** The entries as finished WebSocket frames, joined. */
  frames: Buffer
  /** Where each frame ends in `frames`, in bytes. */
  ends: number[]
  /** The `keyOf` of each entry: it distinguishes entries with the same `seq`. Not sent over the bus: receivers derive it from `frames`. */
  keys?: string[]
  /** True if the event came over the bus and has not been compared with the database. */
  isHint?: boolean
  /** When the oldest message of the batch was queued, by `performance.now()`. Only the publishing instance knows it. */
  queuedAt?: number
}

/** Finished frames outside the sequence (presence, notices, announcements), joined, for all connections of the topic. */
export interface NoticeEvent {
  kind: 'notice'
  frame: Buffer
  /** Id of a connection of this instance that gets a reply instead of the notice. Not sent to other instances. */
  except?: string
  /** True for a signal, which is dropped for a subscriber that cannot take it at once [P42]. Not sent: receivers derive it from `frame`. */
  isSignal?: boolean
}

/** A change that connections must act on. */
export interface ControlEvent {
  kind: 'control'
  action: ControlAction
}

export type { ControlAction }

export type BusEvent = EntriesEvent | NoticeEvent | ControlEvent

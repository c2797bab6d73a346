import type { Role } from '../schemas/common.ts'

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
  onEvent (topic: Topic, event: BusEvent): void
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

export type ControlAction =
  /** On a channel: these users are no longer members; `aclVersion` is the channel's after the change. */
  | { type: 'membership_ended', userIds: string[], aclVersion: number }
  /** On a channel. */
  | { type: 'channel_deleted', timestamp: string }
  /** On a user: the account's name or role changed. */
  | { type: 'user_changed', user: { name?: string, role?: Role } }
  /** On a user: close his connections, all or those of one login. */
  | { type: 'disconnect', reason: 'disconnected' | 'session_revoked', sid?: string }

export type BusEvent = EntriesEvent | NoticeEvent | ControlEvent

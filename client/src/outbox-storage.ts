import { newId, type Clock } from './clock.ts'
import type { ClientErrorCode } from './errors.ts'
import { createIndexedDbOutbox } from './indexeddb-outbox.ts'
import type { ErrorCode, Json } from './wire.ts'

/** A message that waits to be stored, as it is kept between visits. */
export interface KeptMessage {
  readonly channel: string
  readonly clientId: string
  readonly text: string
  readonly data?: Json
  readonly replyTo?: string
  /** A user's messages are sent in the order of this number. */
  readonly order: number
  /** Why the server has refused the message for good; absent while it is to be sent. */
  readonly failure?: { readonly code: ErrorCode | ClientErrorCode, readonly message: string }
}

/**
 * Where messages are kept that wait to be stored. Several clients may share one storage; each message is in the hand of one of them. Calls
 * take effect in the order in which they are made. A storage that rejects costs nothing but the safety: the client goes on in memory.
 */
export interface OutboxStorage {
  /**
   * Takes the user's messages whose client has ended. `onFound` gets messages of clients that end later, if this client comes first. It may
   * be called repeatedly. @returns all of the user's messages that are in the hand of this client.
   */
  take (userId: string, onFound: (messages: readonly KeptMessage[]) => void): Promise<readonly KeptMessage[]>
  /** Keeps a message, or replaces the one with the same channel and `clientId`. */
  put (userId: string, message: KeptMessage): Promise<void>
  remove (userId: string, message: KeptMessage): Promise<void>
  /** The client lets go of all messages: others may take them. `onFound` is not called any more. */
  release (): void
}

/** Creates the storage that the option `outbox.storage` names. `key` names the server. */
export function createOutboxStorage (
  wanted: 'none' | 'indexeddb' | OutboxStorage = 'none', key: string, clock: Clock
): OutboxStorage | undefined {
  if (wanted === 'none') return undefined
  return wanted === 'indexeddb' ? createIndexedDbOutbox(key, newId(clock)) : wanted
}

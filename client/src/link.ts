import type { Calls } from './calls.ts'
import type { Clock } from './clock.ts'
import type { InboxChannel } from './channel-list.ts'
import type { KeptMessages } from './kept-messages.ts'
import type { Room } from './outbox.ts'
import type { RestClient } from './rest.ts'
import type { Me } from './wire.ts'

/** The parts of the client that all of its channels use. */
export interface Link {
  clock: Clock
  calls: Calls
  rest: RestClient
  /** Room for outgoing messages, in all channels together. */
  room: Room
  /** The list of the user's channels: a channel asks it for its row, and says when it has changed itself. */
  inbox: { find (channelName: string): InboxChannel | undefined, ask (channelName: string): void, changed (channelName: string): void }
  /** Keeps outgoing messages where a reload does not reach them. */
  kept: KeptMessages
  isOnline (): boolean
  /** The user of the connection, or of the last one. */
  me (): Me | undefined
  /** Whether messages of this user were sent from here. */
  isMine (userId: string): boolean
  /** Sends a frame for which no reply is wanted. Without effect while there is no connection. */
  write (text: string): void
  /** The outbox of a channel has changed. */
  outboxChanged (): void
  onFault (error: unknown): void
}

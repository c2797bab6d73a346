import type { ParleyError } from './errors.ts'
import type { Gap } from './history.ts'
import type { Outgoing } from './outbox.ts'
import type { Phase } from './subscription.ts'
import type { Message, Person, Reply } from './wire.ts'

/**
 * `history`: messages of the first page, 1 to 100 (50). `window`: most messages that the channel shows, at least 100 (1000). `presence`:
 * `list` (the default) has people, `count` only their number.
 */
export interface ChannelOptions { history?: number, window?: number, presence?: 'list' | 'count' | 'off' }

/** The channel as it is, and the place of this user in it: `user_count` is as it was at the join. */
export type ChannelDetails = Omit<Reply<'join_channel'>, 'channel' | 'seq' | 'last_id' | 'recovered' | 'messages'>

/** A channel as it is shown. A snapshot is immutable, and so are its parts, which stay the same objects until they change. */
export interface ChannelState {
  state: Phase
  /**
   * The newest messages, at most as many as the option `window` allows, in the order of `seq`, as they are now. A deleted message has
   * `deleted` and no text. A full window drops a few of the oldest at once.
   */
  messages: readonly Message[]
  /** Messages of this user that are not in `messages` yet, in the order in which they will be. */
  outbox: readonly Outgoing[]
  /** Messages that are missing between or below the others. `older()` fills it from its upper end, `newer()` from its lower one. */
  gap?: Gap
  /** The history has messages before the first one. `older()` loads them, as long as the window has room. */
  hasOlder: boolean
  /** The `seq` up to which this user has read the channel. */
  readTo: number
  /** Messages of others after `readTo`; 100 means 100 or more. */
  unread: number
  typing: readonly Person[]
  /** Settings of the channel and the user's place in it, from the first join on. */
  details?: ChannelDetails
  /** Why the channel is closed. A ban that ends leaves it closed, with the error `not_in_channel`. */
  error?: ParleyError
}

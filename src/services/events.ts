import type { Entry } from '../schemas/message.ts'
import type { Role } from '../schemas/common.ts'
import type { Notice } from '../schemas/protocol.ts'
import type { ReadMarker, UserRead } from '../schemas/read.ts'
import type { Signal } from '../schemas/signal.ts'

/**
 * Events that services report after the database has committed a change. `connections/events.ts` implements this interface: it encodes
 * each frame once and publishes it to this instance's connections first, then to the other instances.
 */
export interface Events {
  /**
   * Consecutive entries of a channel's sequence were stored: messages, edits and deletions [P34]. `queuedAt`: when the oldest request of
   * their batch was queued, on the clock of `performance.now()`.
   */
  entriesStored (channelId: string, entries: Entry[], queuedAt: number): void
  /** These users are no longer members of the channel: their subscriptions end on every instance. */
  membershipsEnded (channelId: string, userIds: string[], aclVersion: number): void
  /** Sends a frame to all connections of a user. `except`: the id of a connection that gets a reply instead. */
  userNotified (userId: string, notice: Notice, except?: string): void
  /** Sends one frame to all connections of each of these users. */
  usersNotified (userIds: string[], notice: Notice): void
  channelDeleted (channelId: string): void
  /** The user was muted in the channel for so many seconds, or unmuted (0): it binds their signals on every instance [P42]. */
  muteChanged (channelId: string, userId: string, seconds: number, aclVersion: number): void
  /** Sends a signal to the channel's subscribers, except the connection `except`, from which it came [P42]. */
  signalled (channelId: string, signal: Signal, except?: string): void
  /** Somebody has written to the user in a direct channel that is new to them, or that they had left: they have to be told of it [P47]. */
  directOpened (userId: string): void
  /** A member's position has risen: their connections are told, except the connection `except`, which has marked it [P43]. */
  markerRaised (userId: string, marker: ReadMarker, except?: string): void
  /** Members have read further: the channel's subscribers are told [P45]. */
  membersRead (channelId: string, reads: UserRead[]): void
  /** The user has become a member of a channel. */
  membershipBegan (userId: string): void
  /** The channel's settings changed: every instance reads them and tells its subscribers [P50]. */
  settingsChanged (channelId: string): void
  /** The user's name, handle or role changed. */
  userChanged (userId: string, change: { name?: string, handle?: string, role?: Role }): void
  /** The user was disabled, erased, or disconnected by an admin: their connections close with 4503. */
  userDisconnected (userId: string): void
  /** Sends an announcement to every authenticated connection. */
  announced (message: string): void
  /** Logs an error that no client may see. */
  faultFound (error: unknown): void
  /** One login was revoked: its connections close with 4504. */
  loginRevoked (userId: string, sid: string): void
}

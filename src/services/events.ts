import type { Entry } from '../schemas/message.ts'
import type { Role } from '../schemas/common.ts'
import type { Notice } from '../schemas/protocol.ts'

/**
 * What the services tell the world once it has committed. Connections implements it: frames are encoded once and go to
 * this instance's connections first, then to the other instances.
 */
export interface Events {
  /**
   * Consecutive entries of a channel's sequence: messages, and their edits and deletions [P34]. `queuedAt`: since when the oldest of
   * their batch has waited, on the clock of `performance.now()`.
   */
  entriesStored (channelId: string, entries: Entry[], queuedAt: number): void
  /** These users are no longer members: their subscriptions end everywhere. */
  membershipsEnded (channelId: string, userIds: string[], aclVersion: number): void
  /** A frame about a user, for all of that user's connections. `except`: the connection that has its reply. */
  userNotified (userId: string, notice: Notice, except?: string): void
  channelDeleted (channelId: string): void
  /** Name or role changed. */
  userChanged (userId: string, change: { name?: string, role?: Role }): void
  /** The user was disabled or disconnected by an admin: his connections close with 4503. */
  userDisconnected (userId: string): void
  /** For every authenticated connection. */
  announced (message: string): void
  /** A fault that no client may see, to be logged. */
  faultFound (error: unknown): void
  /** One login was revoked: its connections close with 4504. */
  loginRevoked (userId: string, sid: string): void
}

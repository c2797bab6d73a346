import type { Person } from '../schemas/channel.ts'

/**
 * Tracks which users are online in which channels, across all instances. A user is online in a channel while at least one of their
 * connections, on any instance, is subscribed to it [P23]. The hub counts connections on its instance; presence counts instances.
 */
export interface Presence {
  /** Records that a user's first connection on this instance subscribed. Announces `user_joined` where it is the cluster's first. */
  enter (channel: PresentChannel, user: Person): void
  /** Records that a user's last subscription on this instance ended. Announces `user_left` where it was the cluster's last. */
  exit (channel: PresentChannel, user: Person): void
  /** Ids of the users who are online in the channel, in order. */
  list (channelId: string): Promise<string[]>
  /** Records that a user's first connection on this instance has authenticated. It is announced to nobody. */
  connect (user: Person): void
  /** Records that a user's last authenticated connection on this instance has ended. */
  disconnect (user: Person): void
  /** Those of the given users who have an authenticated connection, in whatever channel or none. */
  connected (userIds: string[]): Promise<Set<string>>
  /** Numbers of online users, one per channel, in the order of `channelIds`. */
  counts (channelIds: string[]): Promise<number[]>
  /** Number of online users that this instance knows of; a user counts once per channel. */
  readonly size: number
  close (): Promise<void>
}

export interface PresentChannel { id: string, name: string }

/**
 * Tells a channel's subscribers that a user came or went. `everyone` means the subscribers on every instance; `elsewhere` means those on
 * the other instances, because this instance's subscribers were told while the other instances could not be reached.
 */
export type Announce = (type: PresenceChange, channel: PresentChannel, user: Person, scope: 'everyone' | 'elsewhere') => void
export type PresenceChange = 'user_joined' | 'user_left'

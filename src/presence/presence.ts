import type { Person } from '../schemas/channel.ts'

/**
 * Who is online where, across all instances: a user is online in a channel while at least one of his connections
 * anywhere is subscribed to it [P23]. The hub counts the connections of its own instance; presence counts instances.
 */
export interface Presence {
  /** This instance's first connection of the user subscribed. Announces `user_joined` when it is the cluster's first. */
  enter (channel: PresentChannel, user: Person): void
  /** This instance's last connection of the user is gone. Announces `user_left` when it was the cluster's last. */
  exit (channel: PresentChannel, user: Person): void
  /** Users online in the channel now, in order of id. */
  list (channelId: string): Promise<string[]>
  /** How many are online, per channel, in the order asked. */
  counts (channelIds: string[]): Promise<number[]>
  /** How many users this instance knows to be online, counted once per channel. */
  readonly size: number
  close (): Promise<void>
}

export interface PresentChannel { id: string, name: string }

/**
 * Tells a channel's subscribers that a user came or went: `everyone` on every instance, or `elsewhere`, where those of this
 * instance have been told while the others could not be reached.
 */
export type Announce = (type: PresenceChange, channel: PresentChannel, user: Person, scope: 'everyone' | 'elsewhere') => void
export type PresenceChange = 'user_joined' | 'user_left'

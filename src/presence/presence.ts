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
  close (): Promise<void>
}

export interface PresentChannel { id: string, name: string }

/** Tells all of a channel's subscribers, on every instance, that a user came or went. */
export type Announce = (type: 'user_joined' | 'user_left', channel: PresentChannel, user: Person) => void

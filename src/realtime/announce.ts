import type { Broker } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** Tells a channel's subscribers, on every instance, that a user came or went [P23]. */
export function createAnnounce (broker: Broker): Announce {
  return (type, channel, user) => broker.publish(`channel:${channel.id}`, {
    kind: 'notice',
    frame: encode({ type, user_id: user.user_id, username: user.username, channel: channel.name, timestamp: new Date().toISOString() })
  })
}

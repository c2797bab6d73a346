import type { Broker } from '../broker/broker.ts'
import type { Announce } from '../presence/presence.ts'
import { encode } from './codec.ts'

/** Presence frames on their way to a channel's subscribers everywhere [P23]. */
export function createAnnounce (broker: Broker): Announce {
  return (type, channel, user) => {
    const frame = encode({ type, user_id: user.user_id, username: user.username, channel: channel.name, timestamp: new Date().toISOString() })
    broker.publish(`channel:${channel.id}`, { kind: 'notice', frame })
  }
}

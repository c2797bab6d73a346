import type { Person } from '../schemas/channel.ts'
import { createLinger } from './linger.ts'
import type { Announce, Presence, PresentChannel } from './presence.ts'

/** Tracks presence for a single instance [P23]. `coalesce`: milliseconds that a departure waits for a return. */
export function createMemoryPresence (announce: Announce, { coalesce = 250 } = {}): Presence {
  const online = new Map<string, Set<string>>()
  const connected = new Set<string>()
  const leaving = createLinger<{ channel: PresentChannel, user: Person }>(coalesce, items => {
    for (const { channel, user } of items) announce('user_left', channel, user, 'everyone')
  })

  return {
    enter (channel, user) {
      let users = online.get(channel.id)
      if (!users) online.set(channel.id, users = new Set())
      if (users.has(user.user_id)) return
      users.add(user.user_id)
      if (!leaving.cancel(keyOf(channel, user))) announce('user_joined', channel, user, 'everyone')
    },
    exit (channel, user) {
      const users = online.get(channel.id)
      if (!users?.delete(user.user_id)) return
      if (users.size === 0) online.delete(channel.id)
      leaving.add(keyOf(channel, user), { channel, user })
    },
    list: async channelId => [...online.get(channelId) ?? []].sort(),
    connect: user => { connected.add(user.user_id) },
    disconnect: user => { connected.delete(user.user_id) },
    connected: async userIds => new Set(userIds.filter(id => connected.has(id))),
    counts: async channelIds => channelIds.map(id => online.get(id)?.size ?? 0),
    get size () {
      let size = 0
      for (const users of online.values()) size += users.size
      return size
    },
    close: async () => leaving.close()
  }
}

function keyOf (channel: PresentChannel, user: Person): string {
  return `${channel.id}|${user.user_id}`
}

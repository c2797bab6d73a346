import { choose, createParts } from '../redis-parts.ts'
import type { Presence } from './presence.ts'
import { createRedisPresence, type RedisPresenceDeps } from './redis.ts'

/**
 * Presence in a Redis Cluster: one for each part, with epochs and leases of its own on the node that has it. A channel is always in the
 * same part, so that a script finds all keys that it needs in one slot.
 */
export function createClusterPresence ({ prefix, ...deps }: RedisPresenceDeps): Presence {
  const parts = createParts('presence', prefix).map(part => createRedisPresence({ ...deps, prefix: part.prefix, part }))
  const of = (channelId: string): Presence => choose(parts, channelId)
  /** Knows who has a connection, in whatever channel. */
  const everywhere = parts[0]!
  return {
    enter: (channel, user) => of(channel.id).enter(channel, user),
    exit: (channel, user) => of(channel.id).exit(channel, user),
    list: channelId => of(channelId).list(channelId),
    connect: user => everywhere.connect(user),
    disconnect: user => everywhere.disconnect(user),
    connected: userIds => everywhere.connected(userIds),
    async counts (channelIds) {
      const counted = new Map<string, number>()
      // Each part is asked once for all of its channels.
      await Promise.all(parts.map(async part => {
        const ids = channelIds.filter(id => of(id) === part)
        const counts = ids.length === 0 ? [] : await part.counts(ids)
        for (const [i, id] of ids.entries()) counted.set(id, counts[i]!)
      }))
      return channelIds.map(id => counted.get(id)!)
    },
    get size () { return parts.reduce((sum, { size }) => sum + size, 0) },
    async close () { await Promise.all(parts.map(part => part.close())) }
  }
}

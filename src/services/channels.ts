import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { Presence } from '../presence/presence.ts'
import type { Channel, Member, Person } from '../schemas/channel.ts'
import type { ChannelType, PageQuery } from '../schemas/common.ts'
import type { ChannelStore, Standing } from '../store/channels.ts'
import { decodeCursor, page } from './paging.ts'
import type { Events } from './events.ts'

export type Channels = ReturnType<typeof createChannels>

/** Channels themselves: finding, making, changing, deleting. Whoever may not know of one meets `channel_not_found` [P19]. */
export function createChannels ({ store, presence, events, maxChannels }: {
  store: ChannelStore, presence: Presence, events: Events, maxChannels: number
}) {
  async function find (userId: string, name: string): Promise<Standing> {
    const standing = await store.find(userId, name)
    if (!standing) throw new AppError('channel_not_found')
    return standing
  }

  return {
    find,

    async list (userId: string, { type, cursor, limit = 50 }: PageQuery & { type?: ChannelType | undefined }): Promise<{ channels: Standing[], next_cursor: string | null }> {
      const rows = await store.list(userId, { type, cursor: decodeCursor(cursor), limit: limit + 1 })
      const { items, next } = page(rows, limit, ({ channel }) => channel.name)
      return { channels: items, next_cursor: next }
    },

    /** @throws AppError `channel_exists`, `not_authorized` [P18], `too_many_channels` [P21]. */
    async create (userId: string, name: string, type: ChannelType = 'public'): Promise<Channel> {
      const code = await store.create(userId, uuidv7(), name, type, maxChannels)
      if (code) throw new AppError(code)
      return (await find(userId, name)).channel
    },

    /** Changes the type; the subscriptions of those who may no longer be there end. @throws AppError */
    async setType (userId: string, name: string, type: ChannelType): Promise<Channel> {
      const outcome = await store.setType(userId, name, type)
      if (outcome.code !== null) throw new AppError(outcome.code)
      const timestamp = new Date().toISOString()
      events.membershipsEnded(outcome.channelId, outcome.removed, outcome.aclVersion)
      for (const removed of outcome.removed) events.userNotified(removed, { type: 'kicked_from_channel', channel: name, timestamp })
      return (await find(userId, name)).channel
    },

    /** @throws AppError */
    async delete (userId: string, name: string): Promise<void> {
      const outcome = await store.delete(userId, name)
      if (outcome.code !== null) throw new AppError(outcome.code)
      events.channelDeleted(outcome.channelId)
    },

    async members (userId: string, name: string, { cursor, limit = 50 }: PageQuery): Promise<{ members: Member[], next_cursor: string | null }> {
      const { channel } = await find(userId, name)
      const rows = await store.members(channel.id, { cursor: decodeCursor(cursor, 'uuid'), limit: limit + 1 })
      const { items, next } = page(rows, limit, member => member.user_id)
      return { members: items, next_cursor: next }
    },

    /** Who is online in the channel now, across all instances. */
    async online (userId: string, name: string): Promise<Person[]> {
      const { channel } = await find(userId, name)
      return await store.people(await presence.list(channel.id))
    },

    async onlinePage (userId: string, name: string, { cursor, limit = 50 }: PageQuery): Promise<{ users: Person[], count: number, next_cursor: string | null }> {
      const { channel } = await find(userId, name)
      const online = await presence.list(channel.id)
      const after = decodeCursor(cursor, 'uuid') ?? ''
      const { items, next } = page(online.filter(id => id > after).slice(0, limit + 1), limit, id => id)
      return { users: await store.people(items), count: online.length, next_cursor: next }
    },

    /** Users online, per channel, in the order asked. */
    onlineCounts: (channelIds: string[]): Promise<number[]> => presence.counts(channelIds)
  }
}

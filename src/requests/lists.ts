import { Type } from '@sinclair/typebox'
import { ListedChannel, OnlinePage } from '../schemas/channel.ts'
import { ChannelName, NextCursor, PageQuery, Seq } from '../schemas/common.ts'
import { channelKey } from '../services/channels.ts'
import { fitPage } from '../services/paging.ts'
import { request } from './row.ts'

/** The largest page of `user_list`, and the default if the client names no limit. */
const MAX_USERS_PER_PAGE = 1000

/** Only members are told what is unread, and `last_seq` with it [P44]. */
const ShownChannel = Type.Composite([
  Type.Pick(ListedChannel, ['id', 'name', 'channel_type', 'user_count', 'topic', 'peer', 'read_seq', 'unread_count', 'last_message_at']),
  Type.Object({ online_count: Type.Integer(), joined: Type.Boolean(), last_seq: Type.Optional(Seq) })
])

/** Requests for lists. No page is larger than a reply may be [P59]. */
export const requests = {
  channel_list: request({
    fields: { ...PageQuery.properties, joined: Type.Optional(Type.Boolean()) },
    who: 'user',
    about: 'Lists the channels that the user may see. With `joined`: only their own, those with the newest messages first [P19] [P44].',
    reply: { type: 'channel_list', fields: Type.Object({ channels: Type.Array(ShownChannel), next_cursor: NextCursor }) },
    route: 'GET /api/channels',
    async answer ({ channels, maxItems }, session, { limit, cursor, joined = false }) {
      const page = await channels.list(session.actor, { limit, cursor, joined })
      const online = await channels.onlineCounts(page.items.map(({ channel }) => channel.id))
      const rows = page.items.map(({ channel, isMember }, i) => {
        const { id, name, channel_type, user_count, topic, peer, last_seq, read_seq, unread_count, last_message_at } = channel
        const unread = isMember ? { last_seq, read_seq, unread_count, last_message_at } : undefined
        return { id, name, channel_type, user_count, online_count: online[i], joined: isMember, topic, ...peer && { peer }, ...unread }
      })
      const { items, next_cursor } = fitPage({ items: rows, next_cursor: page.next_cursor }, channelKey(joined), maxItems)
      return { frame: { type: 'channel_list', channels: items, next_cursor } }
    }
  }),

  user_list: request({
    fields: {
      channel: ChannelName,
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_USERS_PER_PAGE, default: MAX_USERS_PER_PAGE })),
      cursor: PageQuery.properties.cursor
    },
    who: 'user',
    about: 'Lists the users who are online in a channel, at all instances, by id [P19] [P59].',
    errors: ['channel_not_found', 'not_authorized'],
    reply: { type: 'user_list', fields: Type.Object({ channel: Type.String(), ...OnlinePage.properties }) },
    route: 'GET /api/channels/:name/online',
    async answer ({ channels, maxItems }, session, { channel, limit = MAX_USERS_PER_PAGE, cursor }) {
      return { frame: { type: 'user_list', channel, ...await channels.online(session.actor, channel, { limit, cursor }, maxItems) } }
    }
  })
}

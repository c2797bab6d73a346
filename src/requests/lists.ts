import { Type } from '@sinclair/typebox'
import { Channel, OnlinePage } from '../schemas/channel.ts'
import { ChannelName, NextCursor, PageQuery } from '../schemas/common.ts'
import { fitPage } from '../services/paging.ts'
import { request } from './row.ts'

/** The largest page of `user_list`, and the default if the client names no limit. */
const MAX_USERS_PER_PAGE = 1000

const ListedChannel = Type.Composite([
  Type.Pick(Channel, ['id', 'name', 'channel_type', 'user_count', 'topic', 'peer']),
  Type.Object({ online_count: Type.Integer(), joined: Type.Boolean() })
])

/** Requests for lists. No page is larger than a reply may be [P59]. */
export const requests = {
  channel_list: request({
    fields: PageQuery.properties,
    who: 'user',
    reply: { type: 'channel_list', fields: Type.Object({ channels: Type.Array(ListedChannel), next_cursor: NextCursor }) },
    route: 'GET /api/channels',
    async answer ({ channels, maxItems }, session, { limit, cursor }) {
      const page = await channels.list(session.actor, { limit, cursor })
      const online = await channels.onlineCounts(page.channels.map(({ channel }) => channel.id))
      const rows = page.channels.map(({ channel: { id, name, channel_type, user_count, topic, peer }, isMember }, i) =>
        ({ id, name, channel_type, user_count, online_count: online[i], joined: isMember, topic, ...peer && { peer } }))
      const { items, next_cursor } = fitPage({ items: rows, next_cursor: page.next_cursor }, ({ name }) => name, maxItems)
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
    reply: { type: 'user_list', fields: Type.Object({ channel: Type.String(), ...OnlinePage.properties }) },
    route: 'GET /api/channels/:name/online',
    async answer ({ channels, maxItems }, session, { channel, limit = MAX_USERS_PER_PAGE, cursor }) {
      return { frame: { type: 'user_list', channel, ...await channels.online(session.actor, channel, { limit, cursor }, maxItems) } }
    }
  })
}

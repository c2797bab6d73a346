import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { Person, Place, PresenceNotice, Settings } from '../schemas/channel.ts'
import { ChannelName, ChannelType, EntryId, Seq, Timestamp, Uuid } from '../schemas/common.ts'
import { Entry } from '../schemas/message.ts'
import { join, joinFields } from './join.ts'
import { request } from './row.ts'

/** Requests that join and leave channels [P20], and stop listening to them [P36]. */
export const requests = {
  join_channel: request({
    fields: joinFields,
    who: 'user',
    cost: 'join',
    reply: {
      action: 'channel_joined',
      data: Type.Object({
        channel: Type.String(),
        channel_id: Uuid,
        channel_type: ChannelType,
        seq: Seq,
        last_id: EntryId,
        recovered: Type.Boolean(),
        messages: Type.Array(Entry),
        ...Type.Omit(Settings, ['channel_type']).properties,
        user_count: Type.Integer(),
        me: Place,
        peer: Type.Optional(Person)
      })
    },
    notices: { user_joined: PresenceNotice },
    route: 'PUT /api/channels/:name/members/:user_id',
    answer: join
  }),

  leave_channel: request({
    fields: { channel: ChannelName },
    who: 'user',
    reply: { action: 'channel_left', data: Type.Object({ channel: Type.String() }) },
    notices: { user_left: PresenceNotice, channel_left: Type.Object({ channel: Type.String(), timestamp: Timestamp }) },
    route: 'DELETE /api/channels/:name/members/:user_id',
    async answer ({ hub, memberships }, session, { channel }) {
      await memberships.leave(session.actor, channel, session.id)
      hub.unsubscribe(session, channel)
      return success('channel_left', { channel })
    }
  }),

  unsubscribe_channel: request({
    fields: { channel: ChannelName },
    who: 'user',
    reply: { action: 'channel_unsubscribed', data: Type.Object({ channel: Type.String() }) },
    notices: { user_left: PresenceNotice },
    answer ({ hub }, session, { channel }) {
      hub.unsubscribe(session, channel)
      return success('channel_unsubscribed', { channel })
    }
  })
}

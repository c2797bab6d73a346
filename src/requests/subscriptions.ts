import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { PersonWithHandle, Place, Settings, UserJoined, UserLeft } from '../schemas/channel.ts'
import { ChannelName, ChannelType, EntryId, Seq, Timestamp, Uuid } from '../schemas/common.ts'
import { Entry } from '../schemas/message.ts'
import { join, joinFields } from './join.ts'
import { request } from './row.ts'

/** Requests that join and leave channels [P20], and stop listening to them [P36]. */
export const requests = {
  join_channel: request({
    fields: joinFields,
    who: 'user',
    about: 'Makes the user a member of a channel and subscribes this connection [P19] [P20]. The reply may hold what the client missed, ' +
      'or the last messages, and the live stream follows without a gap [P30] [P31] [P37].',
    errors: [
      'channel_not_found', 'not_authorized', 'banned', 'not_in_channel', 'channel_full', 'too_many_channels', 'invalid_channel_name'
    ],
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
        peer: Type.Optional(PersonWithHandle)
      })
    },
    notices: { user_joined: UserJoined },
    route: 'PUT /api/channels/:name/members/:user_id',
    answer: join
  }),

  leave_channel: request({
    fields: { channel: ChannelName },
    who: 'user',
    about: 'Ends the user\'s membership of a channel, on all of their connections [P20].',
    errors: ['channel_not_found', 'not_in_channel'],
    reply: { action: 'channel_left', data: Type.Object({ channel: Type.String() }) },
    notices: {
      user_left: UserLeft,
      channel_left: Type.Object({ channel: Type.String(), timestamp: Timestamp }, {
        description: 'This user left a channel on another connection, or is in it no longer [P20].'
      })
    },
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
    about: 'Ends the subscription of this connection, and nothing else [P36].',
    reply: { action: 'channel_unsubscribed', data: Type.Object({ channel: Type.String() }) },
    notices: { user_left: UserLeft },
    answer ({ hub }, session, { channel }) {
      hub.unsubscribe(session, channel)
      return success('channel_unsubscribed', { channel })
    }
  })
}

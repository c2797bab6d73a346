import { Type } from '@sinclair/typebox'
import { Channel, Settings } from '../schemas/channel.ts'
import { ChannelName, GivenType, Timestamp } from '../schemas/common.ts'
import { command } from './row.ts'

const tag = 'channels'
/** The settings that a request may carry. Both commands check them alike. */
const settings = {
  topic: Type.Optional(Settings.properties.topic),
  slow_mode: Type.Optional(Settings.properties.slow_mode),
  retention: Type.Optional(Settings.properties.retention)
}

/** Commands that create, change and delete channels. */
export const commands = {
  create_channel: command({
    fields: {
      name: ChannelName,
      channel_type: Type.Optional(GivenType),
      ...settings,
      /** If the frame's `type` is `public` or `private`, it is the type of the new channel; `channel_type` takes precedence. */
      type: Type.Optional(Type.Unknown())
    },
    who: 'registered user',
    about: 'Creates a channel, of which the user is the first moderator [P17] [P18] [P50] [P58].',
    errors: ['channel_exists', 'too_many_channels'],
    action: 'channel_created',
    result: Channel,
    shown: {
      data: Type.Object({ channel: Type.Pick(Channel, ['id', 'name', 'channel_type', 'created_at']) }),
      of: ({ id, name, channel_type, created_at }) => ({ channel: { id, name, channel_type, created_at } })
    },
    rest: { route: 'POST /api/channels', tag, summary: 'Make a channel and become its first moderator', status: 201, without: ['type'] },
    run: ({ channels }, actor, { name, channel_type: explicit, topic, slow_mode, retention, type }) =>
      channels.create(actor, name, explicit ?? (type === 'private' ? 'private' : 'public'), { topic, slow_mode, retention })
  }),

  update_channel: command({
    fields: { channel: ChannelName, channel_type: Type.Optional(GivenType), ...settings },
    /** Topic and slow mode are the moderators'. Only the creator and admins may change the rest [P50]. */
    who: 'moderator',
    about: 'Changes settings of a channel, all that are given or none [P50].',
    errors: ['channel_not_found'],
    action: 'channel_updated',
    result: Channel,
    shown: {
      data: Type.Object({ channel: Type.String(), ...Settings.properties }),
      of: ({ name, channel_type, topic, slow_mode, retention }) => ({ channel: name, channel_type, topic, slow_mode, retention })
    },
    notices: {
      channel_updated: Type.Object({ channel: Type.String(), ...Settings.properties, timestamp: Timestamp }, {
        description: 'The settings of a channel as they are now, to all of its subscribers [P50].'
      })
    },
    rest: {
      route: 'PATCH /api/channels/:name', tag, summary: 'Change settings; whoever may not be in it by its new type is out', status: 200
    },
    run: ({ channels }, actor, { channel, channel_type, topic, slow_mode, retention }) =>
      channels.update(actor, channel, { channel_type, topic, slow_mode, retention })
  }),

  delete_channel: command({
    fields: { channel: ChannelName },
    who: 'creator or admin',
    about: 'Deletes a channel with all its messages [P24].',
    errors: ['channel_not_found'],
    action: 'channel_deleted',
    result: Type.Object({ channel: Type.String() }),
    notices: {
      channel_deleted: Type.Object({ channel: Type.String(), timestamp: Timestamp }, {
        description: 'A channel was deleted, and with it each subscription [P24].'
      })
    },
    rest: { route: 'DELETE /api/channels/:name', tag, summary: 'Delete a channel with all its messages', status: 204 },
    async run ({ channels }, actor, { channel }) {
      await channels.delete(actor, channel)
      return { channel }
    }
  })
}

import type { UserAct } from '../schemas/moderation.ts'
import type { CommandFrame, CommandType } from '../schemas/protocol.ts'
import type { Channels } from '../services/channels.ts'
import type { Messages } from '../services/messages.ts'
import type { Moderation } from '../services/moderation.ts'
import { success, type Reply } from './reply.ts'
import type { Session } from './session.ts'

export interface ChannelCommandDeps { channels: Channels, messages: Messages, moderation: Moderation }

type Handlers = { [T in CommandType]: (session: Session, frame: CommandFrame<T>) => Promise<Reply> }
type TargetFrame = { channel: string, user_id: string, reason?: string, duration?: number }

/** Channel commands, by `command`: docs/protocol.md, the second table of "Client → server". */
export function createChannelCommands ({ channels, messages, moderation }: ChannelCommandDeps): Handlers {
  /** A command about a user, and the action of its reply. */
  const about = (act: UserAct, action: string) => async (session: Session, { channel, user_id: userId, reason, duration }: TargetFrame) => {
    // Only where they are fields of the command have they been checked: elsewhere they are ignored [P9].
    const details = act === 'ban_user' ? { reason, duration } : act === 'mute_user' ? { duration } : {}
    return success(action, await moderation.act(session.actor, act, channel, userId, details))
  }

  return {
    async create_channel (session, { name, channel_type: explicit, type }) {
      const wanted = explicit ?? (type === 'private' ? 'private' : 'public')
      const { id, channel_type, created_at } = await channels.create(session.actor, name, wanted)
      return success('channel_created', { channel: { id, name, channel_type, created_at } })
    },

    async delete_channel (session, { channel }) {
      await channels.delete(session.actor, channel)
      return success('channel_deleted', { channel })
    },

    async edit_message (session, { channel, id, message }) {
      return success('message_edited', await messages.change(session.actor, channel, id, message))
    },

    async delete_message (session, { channel, id }) {
      return success('message_deleted', await messages.change(session.actor, channel, id, null))
    },

    invite_user: about('invite_user', 'user_invited'),
    kick_user: about('kick_user', 'user_kicked'),
    ban_user: about('ban_user', 'user_banned'),
    unban_user: about('unban_user', 'user_unbanned'),
    mute_user: about('mute_user', 'user_muted'),
    unmute_user: about('unmute_user', 'user_unmuted'),
    add_moderator: about('add_moderator', 'moderator_added'),
    remove_moderator: about('remove_moderator', 'moderator_removed')
  }
}

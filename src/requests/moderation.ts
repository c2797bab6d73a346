import { Type, type TProperties } from '@sinclair/typebox'
import { PresenceNotice } from '../schemas/channel.ts'
import { ChannelName, ChannelType, Timestamp, UserId, Uuid } from '../schemas/common.ts'
import { BanDuration, DEFAULT_MUTE, MuteDuration, Reason } from '../schemas/moderation.ts'
import type { Moderated } from '../store/moderation.ts'
import { command, type CommandRow, type RestRoute, type Who } from './row.ts'

const tag = 'moderation'
const expiresAt = Type.Union([Timestamp, Type.Null()])

/** Commands about a user's place in a channel: invitations, membership, bans, mutes and moderators. */
export const commands = {
  ...acts({
    invite_user: {
      who: 'moderator',
      action: 'user_invited',
      notice: {
        type: 'invited_to_channel',
        fields: { channel_type: ChannelType },
        of: ({ channelType }) => ({ channel_type: channelType })
      },
      rest: {
        ...put('members', 'Invite a user; with your own id: join'),
        async self ({ memberships }, actor, channel) {
          await memberships.join(actor, channel)
          return { channel, user_id: actor.userId }
        }
      }
    },

    kick_user: {
      who: 'moderator not below the target',
      action: 'user_kicked',
      notice: { type: 'kicked_from_channel' },
      endsMembership: true,
      rest: {
        ...remove('members', 'End a membership or an invitation; with your own id: leave'),
        self: ({ memberships }, actor, channel) => memberships.leave(actor, channel)
      }
    },

    ban_user: {
      who: 'moderator not below the target',
      action: 'user_banned',
      details: { reason: Type.Optional(Reason), duration: Type.Optional(BanDuration) },
      result: {
        fields: { reason: Type.Union([Type.String(), Type.Null()]), expires_at: expiresAt },
        of: (outcome, { reason }) => ({ reason: reason ?? null, expires_at: timeOf(outcome) })
      },
      notice: { type: 'banned_from_channel' },
      endsMembership: true,
      rest: put('bans', 'Ban a user; without a duration for good')
    },

    unban_user: {
      who: 'moderator not below the target',
      action: 'user_unbanned',
      notice: { type: 'unbanned_from_channel' },
      rest: remove('bans', 'End a ban')
    },

    mute_user: {
      who: 'moderator not below the target',
      action: 'user_muted',
      details: { duration: Type.Optional(MuteDuration) },
      defaults: { duration: DEFAULT_MUTE },
      result: {
        fields: { duration: Type.Integer(), expires_at: Timestamp },
        of: (outcome, { duration }) => ({ duration, expires_at: timeOf(outcome) })
      },
      notice: { type: 'muted_in_channel' },
      rest: put('mutes', 'Mute a user, for an hour if no duration is named')
    },

    unmute_user: {
      who: 'moderator not below the target',
      action: 'user_unmuted',
      notice: { type: 'unmuted_in_channel' },
      rest: remove('mutes', 'End a mute')
    },

    add_moderator: {
      who: 'creator or admin',
      action: 'moderator_added',
      rest: put('moderators', 'Make a user a moderator of the channel')
    },

    remove_moderator: {
      who: 'creator or admin',
      action: 'moderator_removed',
      rest: remove('moderators', 'Take a user\'s place as moderator of the channel')
    }
  }),

  decline_invitation: command({
    fields: { channel: ChannelName },
    who: 'registered user',
    action: 'invitation_declined',
    result: Type.Object({ channel: Type.String() }),
    rest: { route: 'DELETE /api/me/invitations/:name', tag: 'me', summary: 'Decline an invitation', status: 204 },
    async run ({ call }, { userId, sid }, { channel }) {
      await call`parley_decline_invitation(${userId}::uuid, ${channel}, ${sid}::uuid)`
      return { channel }
    }
  })
}

/** `duration` is in seconds. */
interface Details { reason?: string, duration?: number }

interface Act {
  who: Who
  action: string
  /** Fields of the request besides `channel` and `user_id`. */
  details?: TProperties
  defaults?: Details
  /** Fields of the reply's `data` besides `channel` and `user_id`. */
  result?: { fields: TProperties, of (outcome: Moderated, details: Details): object }
  /** The notice to the target, if the target is told of the act [P57]. Its fields are those of the result unless it names its own. */
  notice?: { type: string, fields?: TProperties, of? (outcome: Moderated): object }
  /** The target's subscriptions end, and the channel's other subscribers are told [P23]. */
  endsMembership?: true
  rest: RestRoute
}

/** Builds the rows of commands by which a user acts on another. `parley_moderate` checks and executes them by the command's name. */
function acts<K extends string> (given: Record<K, Act>): Record<K, CommandRow> {
  return Object.fromEntries(Object.entries<Act>(given).map(([name, act]) => [name, rowOf(name, act)])) as Record<K, CommandRow>
}

function rowOf (act: string, { who, action, details = {}, defaults = {}, result, notice, endsMembership, rest }: Act): CommandRow {
  const about = { channel: Type.String(), user_id: Uuid }
  return command({
    fields: { channel: ChannelName, user_id: UserId, ...details },
    who,
    action,
    result: Type.Object({ ...about, ...result?.fields }),
    notices: {
      ...notice && { [notice.type]: Type.Object({ channel: Type.String(), ...notice.fields ?? result?.fields, timestamp: Timestamp }) },
      ...endsMembership && { user_left: PresenceNotice }
    },
    rest,
    async run ({ moderation }, actor, { channel, user_id: targetId, ...fields }) {
      // Fields of other commands have not been checked here and are ignored [P9].
      const given = Object.fromEntries(Object.entries(fields).filter(([name]) => Object.hasOwn(details, name)))
      const chosen: Details = { ...defaults, ...given }
      const dataOf = (outcome: Moderated): object => result ? result.of(outcome, chosen) : {}
      const noticeOf = (outcome: Moderated) =>
        notice && { type: notice.type, channel, ...notice.of ? notice.of(outcome) : dataOf(outcome) }
      const outcome = await moderation.act(actor, { act, channelName: channel, targetId, ...chosen }, noticeOf)
      return { channel, user_id: targetId, ...dataOf(outcome) }
    }
  })
}

function put (list: string, summary: string): RestRoute {
  return { route: `PUT /api/channels/:name/${list}/:user_id`, tag, summary, status: 200 }
}

function remove (list: string, summary: string): RestRoute {
  return { route: `DELETE /api/channels/:name/${list}/:user_id`, tag, summary, status: 204 }
}

function timeOf ({ expiresAt }: Moderated): string | null {
  return expiresAt?.toISOString() ?? null
}

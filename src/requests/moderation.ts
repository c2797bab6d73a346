import { Type, type TProperties } from '@sinclair/typebox'
import { UserLeft } from '../schemas/channel.ts'
import { ChannelName, ChannelType, Timestamp, UserId, Uuid } from '../schemas/common.ts'
import { BanDuration, DEFAULT_MUTE, MuteDuration, Reason } from '../schemas/moderation.ts'
import type { FrameError } from '../errors.ts'
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
      about: 'Invites a user to a channel, private ones too [P57].',
      errors: ['banned', 'too_many_invitations'],
      notice: {
        type: 'invited_to_channel',
        about: 'This user was invited to a channel [P57].',
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
      about: 'Ends a user\'s membership, or their invitation [P20].',
      notice: { type: 'kicked_from_channel', about: 'This user\'s membership or invitation was ended [P57].' },
      endsMembership: true,
      rest: {
        ...remove('members', 'End a membership or an invitation; with your own id: leave'),
        self: ({ memberships }, actor, channel) => memberships.leave(actor, channel)
      }
    },

    ban_user: {
      who: 'moderator not below the target',
      action: 'user_banned',
      about: 'Bans a user from a channel, for a time or for good, and ends their membership [P22] [P32].',
      details: { reason: Type.Optional(Reason), duration: Type.Optional(BanDuration) },
      result: {
        fields: { reason: Type.Union([Type.String(), Type.Null()]), expires_at: expiresAt },
        of: (outcome, { reason }) => ({ reason: reason ?? null, expires_at: timeOf(outcome) })
      },
      notice: { type: 'banned_from_channel', about: 'This user was banned from a channel [P57].' },
      endsMembership: true,
      rest: put('bans', 'Ban a user; without a duration for good')
    },

    unban_user: {
      who: 'moderator not below the target',
      action: 'user_unbanned',
      about: 'Ends a ban.',
      notice: { type: 'unbanned_from_channel', about: 'The ban of this user was ended [P57].' },
      rest: remove('bans', 'End a ban')
    },

    mute_user: {
      who: 'moderator not below the target',
      action: 'user_muted',
      about: 'Mutes a user in a channel for a time [P22] [P32].',
      details: { duration: Type.Optional(MuteDuration) },
      defaults: { duration: DEFAULT_MUTE },
      result: {
        fields: { duration: Type.Integer(), expires_at: Timestamp },
        of: (outcome, { duration }) => ({ duration, expires_at: timeOf(outcome) })
      },
      notice: { type: 'muted_in_channel', about: 'This user was muted in a channel [P57].' },
      rest: put('mutes', 'Mute a user, for an hour if no duration is named')
    },

    unmute_user: {
      who: 'moderator not below the target',
      action: 'user_unmuted',
      about: 'Ends a mute.',
      notice: { type: 'unmuted_in_channel', about: 'The mute of this user was ended [P57].' },
      rest: remove('mutes', 'End a mute')
    },

    add_moderator: {
      who: 'creator or admin',
      action: 'moderator_added',
      about: 'Makes a user a moderator of the channel.',
      rest: put('moderators', 'Make a user a moderator of the channel')
    },

    remove_moderator: {
      who: 'creator or admin',
      action: 'moderator_removed',
      about: 'Takes a user\'s place as moderator of the channel.',
      rest: remove('moderators', 'Take a user\'s place as moderator of the channel')
    }
  }),

  decline_invitation: command({
    fields: { channel: ChannelName },
    who: 'registered user',
    about: 'Declines an invitation. Without one it succeeds without effect [P57].',
    errors: ['channel_not_found'],
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
  about: string
  errors?: FrameError[]
  /** Fields of the request besides `channel` and `user_id`. */
  details?: TProperties
  defaults?: Details
  /** Fields of the reply's `data` besides `channel` and `user_id`. */
  result?: { fields: TProperties, of (outcome: Moderated, details: Details): object }
  /** The notice to the target, if the target is told of the act [P57]. Its fields are those of the result unless it names its own. */
  notice?: { type: string, about: string, fields?: TProperties, of? (outcome: Moderated): object }
  /** The target's subscriptions end, and the channel's other subscribers are told [P23]. */
  endsMembership?: true
  rest: RestRoute
}

/** Builds the rows of commands by which a user acts on another. `parley_moderate` checks and executes them by the command's name. */
function acts<K extends string> (given: Record<K, Act>): Record<K, CommandRow> {
  return Object.fromEntries(Object.entries<Act>(given).map(([name, act]) => [name, rowOf(name, act)])) as Record<K, CommandRow>
}

function rowOf (act: string, given: Act): CommandRow {
  const { who, action, about, errors = [], details = {}, defaults = {}, result, notice, endsMembership, rest } = given
  const subject = { channel: Type.String(), user_id: Uuid }
  return command({
    fields: { channel: ChannelName, user_id: UserId, ...details },
    who,
    about,
    errors: ['channel_not_found', 'user_not_found', ...errors],
    action,
    result: Type.Object({ ...subject, ...result?.fields }),
    notices: {
      ...notice && {
        [notice.type]: Type.Object({ channel: Type.String(), ...notice.fields ?? result?.fields, timestamp: Timestamp },
          { description: notice.about })
      },
      ...endsMembership && { user_left: UserLeft }
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

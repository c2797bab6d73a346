import { Type, type Static } from '@sinclair/typebox'
import { ChannelName, ChannelType, MessageId, NextCursor, PageQuery, Role, Text, Timestamp, UserId, Uuid } from './common.ts'
import { User } from './user.ts'

const YEAR = 31_536_000

/** Seconds. */
export const MuteDuration = Type.Integer({ minimum: 1, maximum: YEAR })
export const DEFAULT_MUTE = 3600
export const BanDuration = Type.Integer({ minimum: 1, maximum: 10 * YEAR })
export const Reason = Text({ maxLength: 500 })

/** Acts of one user on another in a channel, by the command's name. */
export const userActs = [
  'invite_user', 'kick_user', 'ban_user', 'unban_user', 'mute_user', 'unmute_user', 'add_moderator', 'remove_moderator'
] as const
export type UserAct = typeof userActs[number]

export const TargetParams = Type.Object({ name: ChannelName, user_id: UserId })
export const MessageParams = Type.Object({ name: ChannelName, id: MessageId })
export const NoBody = Type.Object({}, { additionalProperties: false })
export const BanRequest = Type.Object({
  reason: Type.Optional(Reason),
  duration: Type.Optional(BanDuration)
}, { additionalProperties: false })
export const MuteRequest = Type.Object({ duration: Type.Optional(MuteDuration) }, { additionalProperties: false })

/** A command's `data`, as the reply on the wire and the body of a PUT. */
export const ActResult = Type.Object({
  channel: Type.String(),
  user_id: Uuid,
  reason: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  duration: Type.Optional(Type.Integer()),
  expires_at: Type.Optional(Type.Union([Timestamp, Type.Null()]))
}, { $id: 'ActResult' })
export type ActResult = Static<typeof ActResult>

const person = { user_id: Uuid, username: Type.String() }
const expiry = Type.Union([Timestamp, Type.Null()])

export const Ban = Type.Object({
  ...person, reason: Type.Union([Type.String(), Type.Null()]), banned_by: Uuid, expires_at: expiry, created_at: Timestamp
})
export type Ban = Static<typeof Ban>
export const BanPage = Type.Object({ bans: Type.Array(Ban), next_cursor: NextCursor })

export const Mute = Type.Object({ ...person, muted_by: Uuid, expires_at: expiry, created_at: Timestamp })
export type Mute = Static<typeof Mute>
export const MutePage = Type.Object({ mutes: Type.Array(Mute), next_cursor: NextCursor })

export const Moderator = Type.Object({ ...person, created_at: Timestamp })
export type Moderator = Static<typeof Moderator>
export const ModeratorPage = Type.Object({ moderators: Type.Array(Moderator), next_cursor: NextCursor })

/** `invited_by` and `username`: who invited. */
export const Invitation = Type.Object({
  channel: Type.String(), channel_id: Uuid, channel_type: ChannelType, invited_by: Uuid, username: Type.String(), created_at: Timestamp
})
export type Invitation = Static<typeof Invitation>
export const InvitationPage = Type.Object({ invitations: Type.Array(Invitation), next_cursor: NextCursor })

export const LogEntry = Type.Object({
  id: Uuid,
  actor_id: Type.Union([Uuid, Type.Null()]),
  action: Type.String(),
  target_id: Type.Union([Uuid, Type.Null()]),
  channel_id: Type.Union([Uuid, Type.Null()]),
  channel: Type.Union([Type.String(), Type.Null()]),
  reason: Type.Union([Type.String(), Type.Null()]),
  expires_at: expiry,
  created_at: Timestamp
})
export type LogEntry = Static<typeof LogEntry>
export const LogPage = Type.Object({ log: Type.Array(LogEntry), next_cursor: NextCursor })
export const LogQuery = Type.Composite([PageQuery], { additionalProperties: false })

/** An account as an admin sees it. */
export const ManagedUser = Type.Composite([User, Type.Object({ disabled_at: expiry })], { $id: 'ManagedUser' })
export type ManagedUser = Static<typeof ManagedUser>
export const UserQuery = Type.Composite([
  PageQuery, Type.Object({ query: Type.Optional(Text({ minLength: 1, maxLength: 254 })) })
], { additionalProperties: false })
export const UserPage = Type.Object({ users: Type.Array(ManagedUser), next_cursor: NextCursor })
export const UserParams = Type.Object({ id: UserId })
export const UserChange = Type.Object({
  role: Type.Optional(Role),
  disabled: Type.Optional(Type.Boolean())
}, { additionalProperties: false, minProperties: 1 })
export const Announcement = Type.Object({ message: Text({ whenMissing: 'message_required' }) }, { additionalProperties: false })

import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, ChannelType, NextCursor, PageQuery, Text, Timestamp, Uuid } from './common.ts'

const YEAR = 31_536_000

/** Durations are in seconds. */
export const MuteDuration = Type.Integer({ minimum: 1, maximum: YEAR, description: 'seconds' })
export const DEFAULT_MUTE = 3600
export const BanDuration = Type.Integer({ minimum: 1, maximum: 10 * YEAR, description: 'seconds; none: for good' })
export const Reason = Text({ maxLength: 500 })

const person = { user_id: Uuid, username: Type.String(), handle: AnyHandle }
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

/** `invited_by`, `username` and `handle` are the id, name and handle of the user who invited. */
export const Invitation = Type.Object({
  channel: Type.String(), channel_id: Uuid, channel_type: ChannelType, invited_by: Uuid, username: Type.String(), handle: AnyHandle,
  created_at: Timestamp
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

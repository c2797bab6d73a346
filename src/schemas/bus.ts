import { Type, type Static } from '@sinclair/typebox'
import { Role, Seq } from './common.ts'
import { Stats } from './stats.ts'

/** Published for a channel: these users are no longer members. `aclVersion` is the channel's version after the change. */
export const MembershipEnded = Type.Object({
  type: Type.Literal('membership_ended'),
  userIds: Type.Array(Type.String()),
  aclVersion: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
})

/** Published for a channel that was deleted. */
export const ChannelDeleted = Type.Object({ type: Type.Literal('channel_deleted'), timestamp: Type.String() })

/** Published for a channel with new settings, which receivers read from the database. */
export const SettingsChanged = Type.Object({ type: Type.Literal('settings_changed') })

/** Published for a channel in which a user was muted for so many seconds, or unmuted (0). `aclVersion` is the version after the change. */
export const MuteChanged = Type.Object({
  type: Type.Literal('mute_changed'),
  userId: Type.String(),
  seconds: Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
  aclVersion: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
})

/** Published for a user who has to be told of a direct channel, which receivers read from the database. */
export const DirectOpened = Type.Object({ type: Type.Literal('direct_opened') })

/** Published for a user: the account's name, handle or role changed. */
export const UserChanged = Type.Object({
  type: Type.Literal('user_changed'),
  user: Type.Object({ name: Type.Optional(Type.String()), handle: Type.Optional(Type.String()), role: Type.Optional(Role) })
})

/** Published for a user: the user's connections must close, all of them or only those of one login. */
export const Disconnect = Type.Object({
  type: Type.Literal('disconnect'),
  reason: Type.Union([Type.Literal('disconnected'), Type.Literal('session_revoked')]),
  sid: Type.Optional(Type.String())
})

/** Published for activity: these channels have new messages, of which `seq` is the newest [P44]. */
export const ChannelsActive = Type.Object({
  type: Type.Literal('channels_active'),
  channels: Type.Array(Type.Object({ id: Type.String(), seq: Seq }))
})

/** Published for activity: the user has become a member of a channel. */
export const MembershipBegan = Type.Object({ type: Type.Literal('membership_began'), userId: Type.String() })

/** Published for watchers: an instance has admins who watch the numbers of all instances [P78]. It says so again while they do. */
export const StatsWanted = Type.Object({ type: Type.Literal('stats_wanted') })

/** Published for stats: the numbers of one instance [P78]. */
export const StatsTaken = Type.Object({ type: Type.Literal('stats_taken'), stats: Stats })

/** What instances tell each other, besides frames for clients. Unknown extra fields come from a later release and are ignored. */
export const ControlAction = Type.Union([
  MembershipEnded, ChannelDeleted, SettingsChanged, MuteChanged, DirectOpened, UserChanged, Disconnect, ChannelsActive, MembershipBegan,
  StatsWanted, StatsTaken
])
export type ControlAction = Static<typeof ControlAction>

import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, ChannelName, ChannelType, NextCursor, PageQuery, Role, Seq, Text, Timestamp, Uuid } from './common.ts'
import { Unread } from './read.ts'

/** Seconds: the greatest value that `channels.max_slow_mode` may have. */
export const MAX_SLOW_MODE = 86_400
/** Days. */
const MAX_RETENTION = 36_500

/** The settings of a channel, besides its name [P50]. */
export const Settings = Type.Object({
  channel_type: ChannelType,
  /** The service checks the length, which is configured. */
  topic: Text({ description: 'may be empty' }),
  /** Seconds between two messages of a member; 0 is off. The service checks the configured bound. */
  slow_mode: Type.Integer({ minimum: 0, maximum: MAX_SLOW_MODE, description: 'seconds between two messages of a member; 0 is off' }),
  /** Days for which messages, edits and deletions are kept; null: for good. */
  retention: Type.Union([Type.Integer({ minimum: 1, maximum: MAX_RETENTION }), Type.Null()], {
    description: 'days for which messages are kept; null: for good'
  })
})
export type Settings = Static<typeof Settings>
/** Settings to change. The others stay as they are. */
export type SettingsChange = { [K in keyof Settings]?: Settings[K] | undefined }

/** A user as the frames about presence name them. Their fields do not change. */
export const Person = Type.Object({ user_id: Uuid, username: Type.String() })
export type Person = Static<typeof Person>
/** A user as lists and newer frames name them. */
export const PersonWithHandle = Type.Object({ ...Person.properties, handle: AnyHandle })
export type PersonWithHandle = Static<typeof PersonWithHandle>

export const Channel = Type.Object({
  id: Uuid,
  name: Type.String(),
  channel_type: ChannelType,
  created_by: Type.Union([Uuid, Type.Null()]),
  created_at: Timestamp,
  user_count: Type.Integer(),
  last_seq: Seq,
  topic: Type.String(),
  slow_mode: Type.Integer(),
  retention: Settings.properties.retention,
  /** The other user of a direct channel [P47]. */
  peer: Type.Optional(PersonWithHandle)
}, { $id: 'Channel' })
export type Channel = Static<typeof Channel>

export const ChannelParams = Type.Object({ name: ChannelName })
/** `joined`: only one's own, those with the newest messages first [P44]. */
export const ChannelQuery = Type.Composite(
  [PageQuery, Type.Object({ type: Type.Optional(ChannelType), joined: Type.Optional(Type.Boolean()) })], { additionalProperties: false })
/** A channel of a list. Only members are told what is unread. */
export const ListedChannel = Type.Composite([Channel, Type.Partial(Unread)], { $id: 'ListedChannel' })
export type ListedChannel = Static<typeof ListedChannel>
export const ChannelPage = Type.Object({ channels: Type.Array(ListedChannel), next_cursor: NextCursor })

/** The place of a user in a channel that they have joined. `is_moderator`: they can moderate it. `read_seq`: they have read up to it. */
export const Place = Type.Object({
  role: Role,
  is_member_since: Timestamp,
  is_moderator: Type.Boolean({ description: 'whether the user can moderate the channel' }),
  muted_until: Type.Union([Timestamp, Type.Null()]),
  read_seq: Seq
})
export type Place = Static<typeof Place>

/** `read_seq`: only in small channels [P45]. */
export const Member = Type.Object({ ...PersonWithHandle.properties, joined_at: Timestamp, read_seq: Type.Optional(Seq) })
export type Member = Static<typeof Member>
export const MemberQuery = Type.Composite([PageQuery], { additionalProperties: false })
export const MemberPage = Type.Object({ members: Type.Array(Member), next_cursor: NextCursor })

/** A user came online in a channel, or left it. */
export const PresenceNotice = Type.Object({ ...Person.properties, channel: Type.String(), timestamp: Timestamp })
export const UserJoined = Type.Object(PresenceNotice.properties, { description: 'A user came online in a channel [P23].' })
export const UserLeft = Type.Object(PresenceNotice.properties, { description: 'A user\'s last subscription to a channel ended [P23].' })
export const OnlinePage = Type.Object({ users: Type.Array(PersonWithHandle), count: Type.Integer(), next_cursor: NextCursor })

import { Type, type Static } from '@sinclair/typebox'
import { Seq, Timestamp, Uuid } from './common.ts'

export const ReadMark = Type.Object({ seq: Seq }, { additionalProperties: false })

/** Up to which `seq` a user has read a channel [P43]. */
export const ReadMarker = Type.Object({ channel: Type.String(), seq: Seq },
  { description: 'Up to which `seq` this user has read a channel, on another connection [P43].' })
export type ReadMarker = Static<typeof ReadMarker>

/** Up to which `seq` a member of a small channel has read it [P45]. */
export const UserRead = Type.Object({ channel: Type.String(), user_id: Uuid, seq: Seq },
  { description: 'Up to which `seq` a member of a small channel has read it [P45].' })
export type UserRead = Static<typeof UserRead>

/** A hint that a channel has new messages: `seq` is at most that of its latest entry [P44]. */
export const ChannelActivity = Type.Object({ channel: Type.String(), seq: Seq, timestamp: Timestamp },
  { description: 'A channel that this connection is not subscribed to has new messages. Only connections that asked are told [P44].' })

/** What a list of channels says to a member besides. `unread_count`: messages of others after `read_seq`; 100 is 100 or more [P44]. */
export const Unread = Type.Object({
  read_seq: Seq,
  unread_count: Type.Integer(),
  last_message_at: Type.Union([Timestamp, Type.Null()])
})
export type Unread = Static<typeof Unread>

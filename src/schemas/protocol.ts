import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { ChannelName, ChannelType, MessageId, PageQuery, Seq, Text, UserId, Uuid } from './common.ts'
import { ClientId, MessageText } from './message.ts'
import { BanDuration, MuteDuration, Reason } from './moderation.ts'

export const PROTOCOL_VERSION = 1
export const SUBPROTOCOL = 'parley.v1'
/** Of `user_list`, also where the client names no limit. */
export const MAX_USERS_PER_PAGE = 1000

/** [P8] Integers beyond these would come back as others. */
export const Ref = Type.Union([
  Text({ maxLength: 64 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
])
export type Ref = Static<typeof Ref>

const Request = <T extends Record<string, TSchema>>(fields: T) => Type.Object({ ref: Type.Optional(Ref), ...fields })

/** Client frames by `type`: docs/protocol.md, "Client → server". Unknown extra fields are ignored [P9]. */
export const requests = {
  /** Without a token: a guest, where authentication is off [P16]. */
  authenticate: Request({ token: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
  join_channel: Request({
    channel: ChannelName,
    since: Type.Optional(Seq),
    channel_id: Type.Optional(Uuid),
    history: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 }))
  }),
  leave_channel: Request({ channel: ChannelName }),
  send_message: Request({ channel: ChannelName, message: MessageText, client_id: Type.Optional(ClientId) }),
  heartbeat: Request({}),
  channel_list: Request(PageQuery.properties),
  user_list: Request({
    channel: ChannelName,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_USERS_PER_PAGE, default: MAX_USERS_PER_PAGE })),
    cursor: PageQuery.properties.cursor
  })
}

export type RequestType = keyof typeof requests
export type RequestFrame<T extends RequestType> = Static<typeof requests[T]>

const target = { channel: ChannelName, user_id: UserId }

/** Channel commands by `command`: any frame that has one, whatever its `type`. */
export const commands = {
  /** `type`, where it is `public` or `private`, is the new channel's (the guide's form); `channel_type` wins. */
  create_channel: Request({ name: ChannelName, channel_type: Type.Optional(ChannelType), type: Type.Optional(Type.Unknown()) }),
  delete_channel: Request({ channel: ChannelName }),
  edit_message: Request({ channel: ChannelName, id: MessageId, message: MessageText }),
  delete_message: Request({ channel: ChannelName, id: MessageId }),
  invite_user: Request(target),
  kick_user: Request(target),
  ban_user: Request({ ...target, reason: Type.Optional(Reason), duration: Type.Optional(BanDuration) }),
  unban_user: Request(target),
  mute_user: Request({ ...target, duration: Type.Optional(MuteDuration) }),
  unmute_user: Request(target),
  add_moderator: Request(target),
  remove_moderator: Request(target)
}

export type CommandType = keyof typeof commands
export type CommandFrame<T extends CommandType> = Static<typeof commands[T]>

/** A frame about a user, for all of his connections: docs/protocol.md, "Server → client, unasked". */
export interface Notice { type: string, timestamp: string, [field: string]: unknown }

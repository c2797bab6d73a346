import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { ChannelName, PageQuery, Seq, Text, Uuid } from './common.ts'
import { ClientId, MessageText } from './message.ts'

export const PROTOCOL_VERSION = 1
export const SUBPROTOCOL = 'parley.v1'

/** [P8] */
export const Ref = Type.Union([Text({ maxLength: 64 }), Type.Integer()])
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
  user_list: Request({ channel: ChannelName })
}

export type RequestType = keyof typeof requests
export type RequestFrame<T extends RequestType> = Static<typeof requests[T]>

/** A frame about a user, for all of his connections: docs/protocol.md, "Server → client, unasked". */
export interface Notice { type: string, timestamp: string, [field: string]: unknown }

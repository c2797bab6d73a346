import { Type, type Static } from '@sinclair/typebox'
import { frameErrors } from '../errors.ts'
import { Choice, Text, Timestamp, Uuid } from './common.ts'

export const PROTOCOL_VERSION = 1
export const SUBPROTOCOL = 'parley.v1'

/** [P8] JavaScript cannot represent integers outside these bounds exactly, so they would come back changed. */
export const Ref = Type.Union([
  Text({ maxLength: 64 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
], { description: 'comes back on the reply' })
export type Ref = Static<typeof Ref>

/** A frame about a user, for all of the user's connections: docs/protocol.md, "Server → client, unasked". */
export interface Notice { type: string, timestamp: string, [field: string]: unknown }

export const Welcome = Type.Object({
  connection_id: Uuid,
  server_time: Timestamp,
  protocol: Type.Integer(),
  heartbeat_interval: Type.Number({ description: 'seconds' }),
  connection_timeout: Type.Number({ description: 'seconds' }),
  max_payload: Type.Integer({ description: 'bytes that a frame may have' })
}, { description: 'The first frame on every connection [P6].' })

/** The reply to a request that is refused, or that cannot be read [P8] [P9]. */
export const ErrorFrame = Type.Object({
  type: Type.Literal('error'),
  code: Choice(Object.keys(frameErrors)),
  message: Type.String(),
  ref: Type.Optional(Ref),
  retry_after_ms: Type.Optional(Type.Integer({ minimum: 0, description: 'milliseconds after which the same frame may succeed' })),
  reason: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'why the user is banned who wanted to join [P22]' })),
  expires_at: Type.Optional(Type.Union([Timestamp, Type.Null()], { description: 'when that ban ends; null for one without an end' }))
})

/** Frames that the server sends unasked and that no request causes, by `type`. */
export const notices = {
  welcome: Welcome,
  announcement: Type.Object({ message: Type.String(), timestamp: Timestamp },
    { description: 'An admin\'s announcement, to every authenticated connection.' }),
  degraded: Type.Object({ timestamp: Timestamp }, { description: 'This instance has lost the message bus; delivery goes on [P33].' }),
  restored: Type.Object({ timestamp: Timestamp }, { description: 'This instance has the message bus again [P33].' })
}

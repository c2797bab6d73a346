import { Type, type Static } from '@sinclair/typebox'
import { Text, Timestamp, Uuid } from './common.ts'

export const PROTOCOL_VERSION = 1
export const SUBPROTOCOL = 'parley.v1'

/** [P8] JavaScript cannot represent integers outside these bounds exactly, so they would come back changed. */
export const Ref = Type.Union([
  Text({ maxLength: 64 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
])
export type Ref = Static<typeof Ref>

/** A frame about a user, for all of the user's connections: docs/protocol.md, "Server → client, unasked". */
export interface Notice { type: string, timestamp: string, [field: string]: unknown }

/** The first frame on every connection [P6]. The times are in seconds, `max_payload` is in bytes. */
export const Welcome = Type.Object({
  connection_id: Uuid,
  server_time: Timestamp,
  protocol: Type.Integer(),
  heartbeat_interval: Type.Number(),
  connection_timeout: Type.Number(),
  max_payload: Type.Integer()
})

/** Frames that the server sends unasked and that no request causes, by `type`. */
export const notices = {
  welcome: Welcome,
  announcement: Type.Object({ message: Type.String(), timestamp: Timestamp }),
  degraded: Type.Object({ timestamp: Timestamp }),
  restored: Type.Object({ timestamp: Timestamp })
}

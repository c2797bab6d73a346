import { Type, type Static } from '@sinclair/typebox'
import { Text } from './common.ts'

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

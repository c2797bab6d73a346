import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, Choice, ConnectionId, NextCursor, PageQuery, Timestamp, Uuid } from './common.ts'

const orNull = Type.Union([Timestamp, Type.Null()])

/** A WebSocket connection of an instance, as an admin sees it [P79]. */
export const LiveConnection = Type.Object({
  id: Uuid,
  user_id: Type.Union([Uuid, Type.Null()]),
  username: Type.Union([Type.String(), Type.Null()]),
  handle: AnyHandle,
  is_guest: Type.Boolean(),
  address: Type.Union([Type.String({ examples: ['192.0.2.0/24'] }), Type.Null()], { description: 'the network that it comes from' }),
  since: Timestamp,
  channels: Type.Integer({ description: 'subscriptions' }),
  waiting_requests: Type.Integer({ description: 'requests that have come and have not begun' }),
  queued_bytes: Type.Integer({ description: 'bytes that its socket has not taken' }),
  slow_since: orNull,
  last_taken_at: orNull,
  state: Choice(['ok', 'not_authenticated', 'not_reading', 'falling_behind', 'flooding', 'closing'])
}, { $id: 'LiveConnection' })
export type LiveConnection = Static<typeof LiveConnection>

export const ConnectionPage = Type.Object({ instance: Uuid, connections: Type.Array(LiveConnection), next_cursor: NextCursor })
export const ConnectionQuery = Type.Composite([PageQuery, Type.Object({ user_id: Type.Optional(Uuid) })], { additionalProperties: false })
export const ConnectionParams = Type.Object({ id: ConnectionId })

import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, NextCursor, Timestamp, UserId, Uuid } from './common.ts'

/** A user whom the acting user blocks [P48]. */
export const Block = Type.Object({ user_id: Uuid, username: Type.String(), handle: AnyHandle, created_at: Timestamp })
export type Block = Static<typeof Block>
export const BlockPage = Type.Object({ blocks: Type.Array(Block), next_cursor: NextCursor })
export const BlockParams = Type.Object({ user_id: UserId })
/** The answer to a request that sets or ends a block. */
export const BlockAnswer = Type.Object({ user_id: Uuid })

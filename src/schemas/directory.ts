import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, NextCursor, PageQuery, Text, Timestamp, UserKey, Uuid } from './common.ts'

/** A user as the directory shows them to other users [P46]. `online`: they have an authenticated connection. */
export const DirectoryUser = Type.Object({
  id: Uuid, name: Type.String(), handle: AnyHandle, created_at: Timestamp, online: Type.Boolean()
}, { $id: 'DirectoryUser' })
export type DirectoryUser = Static<typeof DirectoryUser>

/** A cursor holds a name, which may take more than other cursors. */
export const DirectoryQuery = Type.Object({
  query: Type.Optional(Text({ maxLength: 64, description: 'the beginning of a name or a handle' })),
  limit: PageQuery.properties.limit,
  cursor: Type.Optional(Text({ minLength: 1, maxLength: 512 }))
}, { additionalProperties: false })
export type DirectoryQuery = Static<typeof DirectoryQuery>
export const DirectoryPage = Type.Object({ users: Type.Array(DirectoryUser), next_cursor: NextCursor })
export const DirectoryParams = Type.Object({ id: UserKey })

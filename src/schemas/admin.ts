import { Type, type Static } from '@sinclair/typebox'
import { NextCursor, PageQuery, Role, Text, Timestamp, UserId } from './common.ts'
import { User } from './user.ts'

/** An account as an admin sees it. */
export const ManagedUser = Type.Composite([
  User, Type.Object({ disabled_at: Type.Union([Timestamp, Type.Null()]) })
], { $id: 'ManagedUser' })
export type ManagedUser = Static<typeof ManagedUser>
export const UserQuery = Type.Composite([
  PageQuery, Type.Object({ query: Type.Optional(Text({ minLength: 1, maxLength: 254 })) })
], { additionalProperties: false })
export const UserPage = Type.Object({ users: Type.Array(ManagedUser), next_cursor: NextCursor })
export const UserParams = Type.Object({ id: UserId })
export const UserChange = Type.Object({
  role: Type.Optional(Role),
  disabled: Type.Optional(Type.Boolean())
}, { additionalProperties: false, minProperties: 1 })
export const Announcement = Type.Object({ message: Text({ whenMissing: 'message_required' }) }, { additionalProperties: false })

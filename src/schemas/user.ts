import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, Handle, Role, Text, Timestamp, Uuid } from './common.ts'

/** 8 to 256 characters: long enough to resist guessing, short enough to hash. */
export const Password = Text({ minLength: 8, maxLength: 256, examples: ['correct horse'] })
export const Email = Type.String({ format: 'text', maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$', examples: ['ann@example.org'] })
export const UserName = Text({ minLength: 1, maxLength: 64, pattern: '\\S', examples: ['Ann'] })

export const User = Type.Object({
  id: Uuid,
  email: Type.Union([Type.String(), Type.Null()]),
  email_verified: Type.Boolean(),
  name: Type.String(),
  handle: AnyHandle,
  role: Role,
  created_at: Timestamp
}, { $id: 'User' })
export type User = Static<typeof User>

export const UserPatch = Type.Object({
  name: Type.Optional(UserName),
  handle: Type.Optional(Handle),
  password: Type.Optional(Password),
  current_password: Type.Optional(Text({ maxLength: 256 }))
}, { additionalProperties: false })
export type UserPatch = Static<typeof UserPatch>

export const AccountDeletion = Type.Object({ password: Text({ maxLength: 256 }) }, { additionalProperties: false })

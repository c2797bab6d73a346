import { Type, type Static } from '@sinclair/typebox'
import { LoginId, NextCursor, Timestamp, Uuid } from './common.ts'

/** A login of the user who asks [P62]. `device` and `address` are null where the client did not tell them. */
export const OwnLogin = Type.Object({
  id: Uuid,
  device: Type.Union([Type.String(), Type.Null()]),
  address: Type.Union([Type.String({ examples: ['192.0.2.0/24'] }), Type.Null()]),
  created_at: Timestamp,
  last_used_at: Timestamp,
  current: Type.Boolean({ description: 'the login of this request' })
})
export type OwnLogin = Static<typeof OwnLogin>
export const LoginPage = Type.Object({ logins: Type.Array(OwnLogin), next_cursor: NextCursor })
export const LoginParams = Type.Object({ id: LoginId })

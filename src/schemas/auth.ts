import { Type, type Static } from '@sinclair/typebox'
import { Handle, Text } from './common.ts'
import { Email, Password, User, UserName } from './user.ts'

export const Registration = Type.Object({
  email: Email,
  name: UserName,
  handle: Type.Optional(Handle),
  password: Password,
  invitation_code: Type.Optional(Text({ minLength: 1, maxLength: 64 }))
}, { additionalProperties: false })
export type Registration = Static<typeof Registration>

export const Credentials = Type.Object({
  email: Text({ maxLength: 254, examples: ['ann@example.org'] }),
  password: Text({ maxLength: 256, examples: ['correct horse'] })
}, { additionalProperties: false })
export type Credentials = Static<typeof Credentials>

export const RefreshRequest = Type.Object({
  refresh_token: Text({ maxLength: 256, whenMissing: 'token_required' })
}, { additionalProperties: false })
export type RefreshRequest = Static<typeof RefreshRequest>

export const Login = Type.Object({
  user: User,
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'seconds' }),
  refresh_token: Type.String(),
  refresh_expires_in: Type.Integer({ description: 'seconds' })
}, { $id: 'Login' })
export type Login = Static<typeof Login>

/** The answer to a registration that is not logged in, because the address has to be verified first. */
export const Registered = Type.Object({ user: User }, { $id: 'Registered' })
export type Registered = Static<typeof Registered>

/** The claims of an access token. `sid` is the id of the login, which its refresh tokens share. */
export interface AccessClaims {
  user_id: string
  email: string | null
  typ: 'access'
  sid: string
  /** Unix seconds. */
  iat: number
  exp: number
}

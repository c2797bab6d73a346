import { Type, type Static } from '@sinclair/typebox'
import { Handle, Text } from './common.ts'
import { Email, Password, User, UserName } from './user.ts'

/** Asks for the refresh token in a cookie of the page, which no script can read [P85]. */
const InCookie = Type.Optional(Type.Boolean({ description: 'true: the refresh token comes in a cookie instead of the answer' }))

export const Registration = Type.Object({
  email: Email,
  name: UserName,
  handle: Type.Optional(Handle),
  password: Password,
  invitation_code: Type.Optional(Text({ minLength: 1, maxLength: 64 })),
  cookie: InCookie
}, { additionalProperties: false })
export type Registration = Static<typeof Registration>

export const Credentials = Type.Object({
  email: Text({ maxLength: 254, examples: ['ann@example.org'] }),
  password: Text({ maxLength: 256, examples: ['correct horse'] }),
  cookie: InCookie
}, { additionalProperties: false })
export type Credentials = Static<typeof Credentials>

/** A missing, null or blank token stands for that of the cookie [P85]. */
const RefreshToken = Type.Optional(Type.Union([Text({ maxLength: 256 }), Type.Null()], { description: 'by default that of the cookie' }))

export const RefreshRequest = Type.Object({ refresh_token: RefreshToken, cookie: InCookie }, { additionalProperties: false })
export const LogoutRequest = Type.Object({ refresh_token: RefreshToken }, { additionalProperties: false })

export const Login = Type.Object({
  user: User,
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'seconds' }),
  refresh_token: Type.Optional(Type.String({ description: 'absent where the cookie has it' })),
  refresh_expires_in: Type.Integer({ description: 'seconds' })
}, { $id: 'Login' })
/** A login before its refresh token may have gone into a cookie. */
export type Login = Required<Static<typeof Login>>

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

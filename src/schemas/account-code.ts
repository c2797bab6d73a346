import { Type, type Static } from '@sinclair/typebox'
import { Text, Timestamp } from './common.ts'
import { Password } from './user.ts'

const Code = Text({ minLength: 1, maxLength: 64 })

/** Somebody who forgot their password. The account need not exist. */
export const Forgotten = Type.Object({ email: Text({ minLength: 1, maxLength: 254, examples: ['ann@example.org'] }) },
  { additionalProperties: false })
export const PasswordReset = Type.Object({ code: Code, password: Password }, { additionalProperties: false })
export type PasswordReset = Static<typeof PasswordReset>
export const Verification = Type.Object({ code: Code }, { additionalProperties: false })

/** A code that an admin has made for a user. `link` leads to a page that uses it; null without `server.public_url`. */
export const ResetCode = Type.Object({
  code: Type.String(),
  link: Type.Union([Type.String(), Type.Null()]),
  expires_at: Timestamp
})
export type ResetCode = Static<typeof ResetCode>

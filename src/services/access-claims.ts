import { Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { AccessClaims } from '../schemas/auth.ts'
import { Uuid } from '../schemas/common.ts'

/** Seconds by which the clock of the instance that issued a token may be ahead of this instance's clock. */
const CLOCK_TOLERANCE = 60

const UnixSeconds = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

const claims = TypeCompiler.Compile(Type.Object({
  user_id: Uuid,
  email: Type.Union([Type.String(), Type.Null()]),
  typ: Type.Literal('access'),
  sid: Uuid,
  iat: UnixSeconds,
  exp: UnixSeconds,
  nbf: Type.Optional(UnixSeconds)
}))

/** Whether a verified token's payload has the claims of an access token, none dated in the future. The verifier checks its expiry. */
export function isAccessClaims (payload: unknown): payload is AccessClaims {
  if (!claims.Check(payload)) return false
  const latest = Date.now() / 1000 + CLOCK_TOLERANCE
  return payload.iat <= latest && (payload.nbf ?? 0) <= latest
}

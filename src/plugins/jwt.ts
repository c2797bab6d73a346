import fastifyJwt from '@fastify/jwt'
import fp from 'fastify-plugin'
import type { AccessClaims } from '../schemas/auth.ts'
import type { Account } from '../store/users.ts'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: AccessClaims
    /** Set by the hooks of `requireUser`. */
    user: Account
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Signs and verifies access tokens (HS256). `services/access-claims.ts` checks their claims. */
    accessTokens: {
      sign (claims: AccessClaims): string
      /** Throws for another secret, algorithm, issuer or audience, and for a token that has no expiry or has expired. */
      verify (token: string): unknown
    }
  }
}

const ISSUER = 'parley'
const AUDIENCE = 'parley'

/** Sets all of this explicitly, because @fastify/jwt by default accepts tokens without expiry and other HMAC algorithms [P12]. */
export default fp(async (app, { secret }: { secret: string }) => {
  await app.register(fastifyJwt, {
    secret,
    sign: { algorithm: 'HS256', iss: ISSUER, aud: AUDIENCE },
    verify: {
      algorithms: ['HS256'],
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      requiredClaims: ['iss', 'aud', 'iat', 'exp', 'sid', 'typ'],
      // `services/access-claims.ts` checks `nbf`, because the clock tolerance of this library would apply to `exp` as well.
      ignoreNotBefore: true
    }
  })
  app.decorate('accessTokens', {
    sign: claims => app.jwt.sign(claims),
    verify: token => app.jwt.verify(token)
  })
}, { name: 'jwt' })

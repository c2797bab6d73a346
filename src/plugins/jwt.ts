import fastifyJwt from '@fastify/jwt'
import fp from 'fastify-plugin'
import type { AccessClaims } from '../schemas/auth.ts'
import type { Account } from '../store/users.ts'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: AccessClaims
    /** Set by the `authenticate` hook. */
    user: Account
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Access tokens, HS256; what they claim is services/access-claims.ts's to judge. */
    accessTokens: {
      sign (claims: AccessClaims): string
      /** Throws for a token of another secret, algorithm, issuer or audience, or one without expiry or expired. */
      verify (token: string): unknown
    }
  }
}

const ISSUER = 'parley'
const AUDIENCE = 'parley'

/** @fastify/jwt takes tokens without expiry and other HMACs by default: everything is pinned here [P12]. */
export default fp(async (app, { secret }: { secret: string }) => {
  await app.register(fastifyJwt, {
    secret,
    sign: { algorithm: 'HS256', iss: ISSUER, aud: AUDIENCE },
    verify: {
      algorithms: ['HS256'],
      allowedIss: ISSUER,
      allowedAud: AUDIENCE,
      requiredClaims: ['iss', 'aud', 'iat', 'exp', 'sid', 'typ'],
      // Its tolerance would hold for `exp` as well.
      ignoreNotBefore: true
    }
  })
  app.decorate('accessTokens', {
    sign: claims => app.jwt.sign(claims),
    verify: token => app.jwt.verify(token)
  })
}, { name: 'jwt' })

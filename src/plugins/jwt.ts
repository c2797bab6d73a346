import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
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
/** The first part of every token that this server signs. */
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')

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
  const readOwn = createReader(secret)
  app.decorate('accessTokens', {
    sign: claims => app.jwt.sign(claims),
    // Each connection is opened with a token, and the library takes four times as long for it.
    verify: token => readOwn(token) ?? app.jwt.verify(token)
  })
}, { name: 'jwt' })

/**
 * Returns a function that reads a valid token as this server writes them. It returns null for any other text, which may still be a valid
 * token: the library finds that out, and tells what is wrong with it.
 */
function createReader (secret: string): (token: string) => object | null {
  const key = createSecretKey(secret, 'utf8')
  return token => {
    const [header, payload, signature, more] = token.split('.')
    if (header !== HEADER || payload === undefined || signature === undefined || more !== undefined) return null
    const wanted = Buffer.from(createHmac('sha256', key).update(`${header}.${payload}`).digest('base64url'))
    const given = Buffer.from(signature)
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: unknown, aud?: unknown, exp?: unknown }
    const { iss, aud, exp } = claims
    return iss === ISSUER && aud === AUDIENCE && typeof exp === 'number' && exp * 1000 > Date.now() ? claims : null
  }
}

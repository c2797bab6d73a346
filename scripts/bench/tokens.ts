import fastify from 'fastify'
import jwtPlugin from '../../src/plugins/jwt.ts'

/** Signs and verifies access tokens as a server with this secret does. */
export async function createAccessTokens (secret: string) {
  const app = fastify()
  await app.register(jwtPlugin, { secret })
  await app.ready()
  return app.accessTokens
}

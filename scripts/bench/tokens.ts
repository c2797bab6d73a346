import fastify from 'fastify'
import jwtPlugin from '../../src/plugins/jwt.ts'

/** Access tokens as the server signs and reads them, for whoever knows its secret. */
export async function createAccessTokens (secret: string) {
  const app = fastify()
  await app.register(jwtPlugin, { secret })
  await app.ready()
  return app.accessTokens
}

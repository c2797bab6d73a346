import type { IncomingHttpHeaders } from 'node:http'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * An `onRequest` hook: sets `request.user` and `request.sid`, before the body is read.
     * @throws AppError `not_authenticated` without a bearer token, `authentication_failed` with a bad one [P12].
     */
    authenticate (request: FastifyRequest): Promise<void>
  }
  interface FastifyRequest {
    /** The login behind the access token. */
    sid: string
  }
}

/** The token is read from the Authorization header only: a URL ends up in logs and histories. */
export default fp(async (app, { auth }: { auth: Pick<Auth, 'verifyAccess'> }) => {
  app.decorateRequest('sid', '')
  app.decorate('authenticate', async request => {
    const token = bearerOf(request.headers)
    if (token === undefined) throw new AppError('not_authenticated')
    const { user, sid } = await auth.verifyAccess(token)
    request.user = user
    request.sid = sid
  })
}, { name: 'auth', dependencies: ['jwt'] })

export function bearerOf ({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

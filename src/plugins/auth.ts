import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'
import type { Actor } from '../store/users.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Admits only authenticated users to the routes of this plugin, and sets `request.user` and `request.actor`. The body is read only if
     * the request has an access token of this server. User and login are checked after that, because a right may be lost while the body
     * arrives [P55]. The errors are `not_authenticated` without a bearer token and `authentication_failed` with a bad one [P12].
     */
    requireUser (): void
  }
  interface FastifyRequest {
    actor: Actor
  }
}

/** Reads the token from the Authorization header only, because a URL ends up in logs and browser histories. */
export default fp(async (app, { auth }: { auth: Pick<Auth, 'readAccess' | 'verifyAccess'> }) => {
  app.decorateRequest('actor')
  app.decorate('requireUser', function (this: FastifyInstance) {
    this.addHook('onRequest', async request => { auth.readAccess(tokenOf(request)) })
    this.addHook('preValidation', async request => {
      const { user, sid } = await auth.verifyAccess(tokenOf(request))
      request.user = user
      request.actor = { userId: user.id, sid }
    })
  })
}, { name: 'auth', dependencies: ['jwt'] })

function tokenOf ({ headers }: FastifyRequest): string {
  const token = bearerOf(headers)
  if (token === undefined) throw new AppError('not_authenticated')
  return token
}

export function bearerOf ({ authorization = '' }: IncomingHttpHeaders): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization)?.[1]
}

import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { AppError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'
import type { Actor } from '../store/users.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Lets only users pass to the routes of this plugin, and says by `request.user` and `request.actor` who asks. Without a token of
     * ours nobody's body is read. User and login are judged once it has been: a right from before may have gone meanwhile [P55].
     * The answers are `not_authenticated` without a bearer token and `authentication_failed` with a bad one [P12].
     */
    requireUser (): void
  }
  interface FastifyRequest {
    actor: Actor
  }
}

/** The token is read from the Authorization header only: a URL ends up in logs and histories. */
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

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { clientOf } from '../plugins/client.ts'
import { Credentials, Login, RefreshRequest, Registered, Registration } from '../schemas/auth.ts'
import { answers } from '../schemas/common.ts'
import type { Auth } from '../services/auth.ts'

const shared = { tags: ['auth'], security: [] }

const routes: FastifyPluginAsyncTypebox<{ auth: Auth }> = async (app, { auth }) => {
  app.post('/api/auth/register', {
    schema: {
      ...shared,
      operationId: 'register',
      summary: 'Make an account and log in; an invitation code may be required',
      body: Registration,
      response: { ...answers(201, Login), 202: Registered }
    }
  }, async (request, reply) => {
    const login = await auth.register(request.body, clientOf(request))
    return 'access_token' in login ? reply.code(201).send(login) : reply.code(202).send(login)
  })

  app.post('/api/auth/login', {
    schema: { ...shared, operationId: 'login', summary: 'Log in', body: Credentials, response: answers(200, Login) }
  }, request => auth.login(request.body, clientOf(request)))

  app.post('/api/auth/refresh', {
    schema: {
      ...shared,
      operationId: 'refresh',
      summary: 'Exchange a refresh token for its successor and a new access token',
      body: RefreshRequest,
      response: answers(200, Login)
    }
  }, request => auth.refresh(request.body.refresh_token, clientOf(request)))

  app.post('/api/auth/logout', {
    schema: {
      ...shared,
      operationId: 'logout',
      summary: 'End a login and close its connections',
      body: RefreshRequest,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await auth.logout(request.body.refresh_token)
    return reply.code(204).send(null)
  })
}

export default routes

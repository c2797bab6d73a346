import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { Credentials, Login, RefreshRequest, Registration } from '../schemas/auth.ts'
import { ErrorReply } from '../schemas/common.ts'
import type { Auth } from '../services/auth.ts'

const tags = ['auth']

const routes: FastifyPluginAsyncTypebox<{ auth: Auth }> = async (app, { auth }) => {
  app.post('/api/auth/register', {
    schema: { tags, summary: 'Make an account and log in', body: Registration, response: { 201: Login, '4xx': ErrorReply } }
  }, async (request, reply) => {
    const login = await auth.register(request.body, request.address)
    return reply.code(201).send(login)
  })

  app.post('/api/auth/login', {
    schema: { tags, summary: 'Log in', body: Credentials, response: { 200: Login, '4xx': ErrorReply } }
  }, request => auth.login(request.body, request.address))

  app.post('/api/auth/refresh', {
    schema: {
      tags,
      summary: 'Exchange a refresh token for its successor and a new access token',
      body: RefreshRequest,
      response: { 200: Login, '4xx': ErrorReply }
    }
  }, request => auth.refresh(request.body.refresh_token))

  app.post('/api/auth/logout', {
    schema: {
      tags,
      summary: 'End a login and close its connections',
      body: RefreshRequest,
      response: { 204: Type.Null(), '4xx': ErrorReply }
    }
  }, async (request, reply) => {
    await auth.logout(request.body.refresh_token)
    return reply.code(204).send(null)
  })
}

export default routes

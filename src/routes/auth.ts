import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../errors.ts'
import { clientOf } from '../plugins/client.ts'
import { requireOwnPage, type LoginCookie } from '../plugins/login-cookie.ts'
import { Credentials, Login, LogoutRequest, RefreshRequest, Registered, Registration } from '../schemas/auth.ts'
import { answers, isBlank } from '../schemas/common.ts'
import type { Auth } from '../services/auth.ts'

const shared = { tags: ['auth'], security: [] }

const routes: FastifyPluginAsyncTypebox<{ auth: Auth, loginCookie: LoginCookie }> = async (app, { auth, loginCookie }) => {
  /** Returns the answer of a login: with its refresh token, or without it if a cookie is to have the token. */
  function toAnswer ({ refresh_token: token, ...login }: Login, reply: FastifyReply, inCookie = false): Static<typeof Login> {
    if (!inCookie) return { ...login, refresh_token: token }
    loginCookie.set(reply, token, login.refresh_expires_in)
    return login
  }

  /**
   * Finds the refresh token: that of the body, otherwise that of the cookie, which only pages of this server may use.
   * @throws AppError `token_required` without either, and as `requireOwnPage` does.
   */
  function findToken (request: FastifyRequest, given: string | null | undefined): { token: string, isFromCookie: boolean } {
    if (!isBlank(given)) return { token: given!, isFromCookie: false }
    const token = loginCookie.read(request)
    if (isBlank(token)) throw new AppError('token_required')
    requireOwnPage(request)
    return { token: token!, isFromCookie: true }
  }

  app.post('/api/auth/register', {
    schema: {
      ...shared,
      operationId: 'register',
      summary: 'Make an account and log in; an invitation code may be required',
      body: Registration,
      response: { ...answers(201, Login), 202: Registered }
    }
  }, async (request, reply) => {
    const { cookie, ...registration } = request.body
    if (cookie) requireOwnPage(request)
    const login = await auth.register(registration, clientOf(request))
    return 'access_token' in login ? reply.code(201).send(toAnswer(login, reply, cookie)) : reply.code(202).send(login)
  })

  app.post('/api/auth/login', {
    schema: { ...shared, operationId: 'login', summary: 'Log in', body: Credentials, response: answers(200, Login) }
  }, async (request, reply) => {
    const { cookie, ...credentials } = request.body
    if (cookie) requireOwnPage(request)
    return toAnswer(await auth.login(credentials, clientOf(request)), reply, cookie)
  })

  app.post('/api/auth/refresh', {
    schema: {
      ...shared,
      operationId: 'refresh',
      summary: 'Exchange a refresh token for its successor and a new access token',
      body: RefreshRequest,
      response: answers(200, Login)
    }
  }, async (request, reply) => {
    const { refresh_token: given, cookie } = request.body
    const { token, isFromCookie } = findToken(request, given)
    if (cookie) requireOwnPage(request)
    try {
      // A token of the cookie never comes out of it, whatever the body asks for: a script of the page could send the request.
      return toAnswer(await auth.refresh(token, clientOf(request)), reply, isFromCookie || cookie)
    } catch (error) {
      if (isFromCookie && error instanceof AppError && error.code === 'authentication_failed') loginCookie.clear(reply)
      throw error
    }
  })

  app.post('/api/auth/logout', {
    schema: {
      ...shared,
      operationId: 'logout',
      summary: 'End a login and close its connections',
      body: LogoutRequest,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    const { token, isFromCookie } = findToken(request, request.body.refresh_token)
    // The person has left this browser, also if the database cannot be told now.
    if (isFromCookie) loginCookie.clear(reply)
    await auth.logout(token)
    return reply.code(204).send(null)
  })
}

export default routes

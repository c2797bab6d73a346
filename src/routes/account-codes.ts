import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { Forgotten, PasswordReset, Verification } from '../schemas/account-code.ts'
import { answers } from '../schemas/common.ts'
import type { AccountCodes } from '../services/account-codes.ts'

const shared = { tags: ['auth'], security: [] }

/** Routes for people who are not logged in and have forgotten their password, or have a code. */
const routes: FastifyPluginAsyncTypebox<{ accountCodes: AccountCodes }> = async (app, { accountCodes }) => {
  app.post('/api/auth/forgot', {
    schema: {
      ...shared,
      operationId: 'forgot_password',
      summary: 'Mail a code that sets a new password, if there is such an account',
      body: Forgotten,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await accountCodes.forgot(request.body.email, request.address)
    return reply.code(204).send(null)
  })

  app.post('/api/auth/reset', {
    schema: {
      ...shared,
      operationId: 'reset_password',
      summary: 'Set a new password by a code, and end all logins',
      body: PasswordReset,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await accountCodes.reset(request.body, request.address)
    return reply.code(204).send(null)
  })

  app.post('/api/auth/verify', {
    schema: {
      ...shared,
      operationId: 'verify_email',
      summary: 'Verify an email address by the code that was mailed to it',
      body: Verification,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await accountCodes.verify(request.body.code, request.address)
    return reply.code(204).send(null)
  })
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { MemberQuery } from '../schemas/channel.ts'
import { answers, errorAnswers } from '../schemas/common.ts'
import { LoginPage, LoginParams } from '../schemas/login.ts'
import { InvitationPage } from '../schemas/moderation.ts'
import { AccountDeletion, User, UserPatch } from '../schemas/user.ts'
import type { AccountCodes } from '../services/account-codes.ts'
import type { Accounts } from '../services/accounts.ts'
import { toUser } from '../services/auth.ts'
import type { Exports } from '../services/exports.ts'
import type { Logins } from '../services/logins.ts'
import type { Moderation } from '../services/moderation.ts'

const shared = { tags: ['me'], security: [{ bearer: [] }] }

interface MeDeps { accounts: Accounts, accountCodes: AccountCodes, exports: Exports, logins: Logins, moderation: Moderation }

const routes: FastifyPluginAsyncTypebox<MeDeps> = async (app, { accounts, accountCodes, exports, logins, moderation }) => {
  app.requireUser()

  app.get('/api/me', {
    schema: { ...shared, operationId: 'get_me', summary: 'The account behind the token', response: answers(200, User) }
  }, async request => toUser(request.user))

  app.patch('/api/me', {
    schema: {
      ...shared,
      operationId: 'change_me',
      summary: 'Change name, handle or password; a new password ends all other logins',
      body: UserPatch,
      response: answers(200, User)
    }
  }, async request => toUser(await accounts.update({ user: request.user, sid: request.actor.sid }, request.body, request.address)))

  app.delete('/api/me', {
    schema: {
      ...shared,
      operationId: 'erase_me',
      summary: 'Erase the account',
      body: AccountDeletion,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await accounts.erase(request.actor, request.body.password, request.address)
    return reply.code(204).send(null)
  })

  app.post('/api/me/verification', {
    schema: {
      ...shared,
      operationId: 'ask_verification',
      summary: 'Mail a code that verifies the email address again',
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await accountCodes.askVerification(request.user.email!, request.address)
    return reply.code(204).send(null)
  })

  app.get('/api/me/invitations', {
    schema: {
      ...shared,
      operationId: 'list_invitations',
      summary: 'Invitations to channels',
      querystring: MemberQuery,
      response: answers(200, InvitationPage)
    }
  }, request => moderation.invitations(request.user.id, request.query))

  app.get('/api/me/export', {
    // A HEAD request would run the whole export.
    exposeHeadRoute: false,
    schema: {
      ...shared,
      operationId: 'export_me',
      summary: 'Everything that is kept of the user, as NDJSON: one JSON object a line, the last of type end',
      response: {
        200: { description: 'NDJSON', content: { 'application/x-ndjson': { schema: Type.String() } } }, ...errorAnswers
      }
    }
  }, async (request, reply) => {
    const stream = await exports.begin(request.actor)
    return reply
      .type('application/x-ndjson; charset=utf-8')
      .header('content-disposition', `attachment; filename="parley-${new Date().toISOString().slice(0, 10)}.ndjson"`)
      .header('cache-control', 'no-store')
      .send(stream as unknown as string)
  })

  app.get('/api/me/logins', {
    schema: {
      ...shared,
      operationId: 'list_logins',
      summary: 'The user\'s logins, the most recently used first',
      querystring: MemberQuery,
      response: answers(200, LoginPage)
    }
  }, request => logins.list(request.actor, request.query))

  app.delete('/api/me/logins/:id', {
    schema: {
      ...shared,
      operationId: 'end_login',
      summary: 'End one of the user\'s logins and close its connections',
      params: LoginParams,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await logins.end(request.actor, request.params.id)
    return reply.code(204).send(null)
  })

  app.delete('/api/me/logins', {
    schema: {
      ...shared,
      operationId: 'end_other_logins',
      summary: 'End all other logins of the user and close their connections',
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await logins.endOthers(request.actor)
    return reply.code(204).send(null)
  })
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { MemberQuery } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { InvitationPage } from '../schemas/moderation.ts'
import { AccountDeletion, User, UserPatch } from '../schemas/user.ts'
import type { Accounts } from '../services/accounts.ts'
import { toUser } from '../services/auth.ts'
import type { Moderation } from '../services/moderation.ts'

const shared = { tags: ['me'], security: [{ bearer: [] }] }

const routes: FastifyPluginAsyncTypebox<{ accounts: Accounts, moderation: Moderation }> = async (app, { accounts, moderation }) => {
  app.requireUser()

  app.get('/api/me', {
    schema: { ...shared, operationId: 'get_me', summary: 'The account behind the token', response: answers(200, User) }
  }, async request => toUser(request.user))

  app.patch('/api/me', {
    schema: {
      ...shared,
      operationId: 'change_me',
      summary: 'Change name or password; a new password ends all other logins',
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

  app.get('/api/me/invitations', {
    schema: {
      ...shared,
      operationId: 'list_invitations',
      summary: 'Invitations to channels',
      querystring: MemberQuery,
      response: answers(200, InvitationPage)
    }
  }, request => moderation.invitations(request.user.id, request.query))
}

export default routes

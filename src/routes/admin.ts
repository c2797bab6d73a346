import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { AppError } from '../errors.ts'
import { ResetCode } from '../schemas/account-code.ts'
import { answers } from '../schemas/common.ts'
import { Announcement, ManagedUser, UserChange, UserPage, UserParams, UserQuery } from '../schemas/admin.ts'
import { InvitationCodeCreation, InvitationCodePage, InvitationCodeParams, NewInvitationCode } from '../schemas/invitation-code.ts'
import { LogPage, LogQuery } from '../schemas/moderation.ts'
import type { AccountCodes } from '../services/account-codes.ts'
import { SearchPage, SearchQuery } from '../schemas/search.ts'
import type { Admin } from '../services/admin.ts'
import type { InvitationCodes } from '../services/invitation-codes.ts'
import type { MessageSearch } from '../services/search.ts'

const shared = { tags: ['admin'], security: [{ bearer: [] }] }
const NoContent = answers(204, Type.Null())
const Erased = Type.Null({
  description: 'Email address, name, password, logins and memberships are gone, and the copies of the messages in reports. ' +
    'The messages stay, under the name `deleted user`, and so do ids and reasons in the moderation log, bans, mutes and reports: ' +
    'docs/operating.md says what remains, why, and until when.'
})

interface AdminDeps { admin: Admin, accountCodes: AccountCodes, invitationCodes: InvitationCodes, search: MessageSearch }

/** Routes for admins. Other users get `not_authorized` before fields are checked. Statements that write check the role again [P55]. */
const routes: FastifyPluginAsyncTypebox<AdminDeps> = async (app, { admin, accountCodes, invitationCodes, search }) => {
  app.requireUser()
  app.addHook('preValidation', async request => {
    if (request.user.role !== 'admin') throw new AppError('not_authorized')
  })

  app.get('/api/admin/users', {
    schema: {
      ...shared,
      operationId: 'list_accounts',
      summary: 'Accounts whose email or name contains `query`',
      querystring: UserQuery,
      response: answers(200, UserPage)
    }
  }, request => admin.users(request.query))

  app.patch('/api/admin/users/:id', {
    schema: {
      ...shared,
      operationId: 'change_account',
      summary: 'Change role, disable, enable',
      params: UserParams,
      body: UserChange,
      response: answers(200, ManagedUser)
    }
  }, request => admin.change(request.actor, request.params.id, request.body))

  app.delete('/api/admin/users/:id', {
    schema: {
      ...shared,
      operationId: 'erase_account',
      summary: 'Erase an account; its messages stay',
      params: UserParams,
      response: answers(204, Erased)
    }
  }, async (request, reply) => {
    await admin.erase(request.actor, request.params.id)
    return reply.code(204).send(null)
  })

  app.delete('/api/admin/users/:id/connections', {
    schema: {
      ...shared,
      operationId: 'disconnect_account',
      summary: 'Close a user\'s connections',
      params: UserParams,
      response: NoContent
    }
  }, async (request, reply) => {
    await admin.disconnect(request.actor, request.params.id)
    return reply.code(204).send(null)
  })

  app.post('/api/admin/users/:id/reset', {
    schema: {
      ...shared,
      operationId: 'reset_account',
      summary: 'Make a code that lets a user set a new password; it is shown only here',
      params: UserParams,
      response: answers(201, ResetCode)
    }
  }, async (request, reply) => {
    const made = await accountCodes.give(request.actor, request.params.id)
    return reply.code(201).send(made)
  })

  app.post('/api/admin/announcements', {
    schema: { ...shared, operationId: 'announce', summary: 'Tell everyone who is connected', body: Announcement, response: NoContent }
  }, async (request, reply) => {
    await admin.announce(request.actor, request.body.message)
    return reply.code(204).send(null)
  })

  app.get('/api/admin/log', {
    schema: {
      ...shared,
      operationId: 'list_all_log',
      summary: 'The moderation log, newest first',
      querystring: LogQuery,
      response: answers(200, LogPage)
    }
  }, request => admin.log(request.query))

  app.get('/api/admin/messages', {
    schema: {
      ...shared,
      operationId: 'search_all_messages',
      summary: 'Search the texts of messages, newest first',
      querystring: SearchQuery,
      response: answers(200, SearchPage)
    }
  }, request => search.all(request.actor, request.query))

  app.post('/api/admin/invitation-codes', {
    schema: {
      ...shared,
      operationId: 'create_invitation_code',
      summary: 'Make a code that lets people register; it is shown only here',
      body: InvitationCodeCreation,
      response: answers(201, NewInvitationCode)
    }
  }, async (request, reply) => {
    const made = await invitationCodes.create(request.actor, request.body)
    return reply.code(201).send(made)
  })

  app.get('/api/admin/invitation-codes', {
    schema: {
      ...shared,
      operationId: 'list_invitation_codes',
      summary: 'Invitation codes, newest first',
      querystring: LogQuery,
      response: answers(200, InvitationCodePage)
    }
  }, request => invitationCodes.list(request.query))

  app.delete('/api/admin/invitation-codes/:id', {
    schema: {
      ...shared,
      operationId: 'revoke_invitation_code',
      summary: 'Revoke an invitation code',
      params: InvitationCodeParams,
      response: NoContent
    }
  }, async (request, reply) => {
    await invitationCodes.revoke(request.actor, request.params.id)
    return reply.code(204).send(null)
  })
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ChannelParams, MemberQuery } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { MessageText, Receipt } from '../schemas/message.ts'
import {
  ActResult, BanPage, BanRequest, LogPage, LogQuery, MessageParams, ModeratorPage, MutePage, MuteRequest, NoBody, TargetParams, type UserAct
} from '../schemas/moderation.ts'
import type { Memberships } from '../services/memberships.ts'
import type { Messages } from '../services/messages.ts'
import type { Moderation } from '../services/moderation.ts'

export interface ModerationDeps { moderation: Moderation, memberships: Memberships, messages: Messages }

const shared = { tags: ['moderation'], security: [{ bearer: [] }] }

/** What PUT and DELETE of a channel's sub-resource mean. */
const resources: Array<{ path: string, put: UserAct, remove: UserAct, body: typeof NoBody | typeof BanRequest | typeof MuteRequest }> = [
  { path: 'members', put: 'invite_user', remove: 'kick_user', body: NoBody },
  { path: 'bans', put: 'ban_user', remove: 'unban_user', body: BanRequest },
  { path: 'mutes', put: 'mute_user', remove: 'unmute_user', body: MuteRequest },
  { path: 'moderators', put: 'add_moderator', remove: 'remove_moderator', body: NoBody }
]

/** What GET of a channel's sub-resource gives. */
const lists = [
  { path: 'bans', summary: 'Bans in force', querystring: MemberQuery, page: BanPage },
  { path: 'mutes', summary: 'Mutes in force', querystring: MemberQuery, page: MutePage },
  { path: 'moderators', summary: 'Channel moderators', querystring: MemberQuery, page: ModeratorPage },
  { path: 'log', summary: 'The channel\'s moderation log, for its moderators', querystring: LogQuery, page: LogPage }
] as const

const routes: FastifyPluginAsyncTypebox<ModerationDeps> = async (app, { moderation, memberships, messages }) => {
  app.requireUser()

  for (const { path, put, remove, body } of resources) {
    app.put(`/api/channels/:name/${path}/:user_id`, {
      schema: { ...shared, summary: put, params: TargetParams, body, response: answers(200, ActResult) }
    }, async request => {
      const { name, user_id: target } = request.params
      if (path === 'members' && target === request.user.id) {
        await memberships.join(request.actor, name)
        return { channel: name, user_id: request.user.id }
      }
      return moderation.act(request.actor, put, name, target, request.body)
    })

    app.delete(`/api/channels/:name/${path}/:user_id`, {
      schema: { ...shared, summary: remove, params: TargetParams, response: answers(204, Type.Null()) }
    }, async (request, reply) => {
      const { name, user_id: target } = request.params
      if (path === 'members' && target === request.user.id) await memberships.leave(request.actor, name)
      else await moderation.act(request.actor, remove, name, target)
      return reply.code(204).send(null)
    })
  }

  for (const { path, summary, querystring, page } of lists) {
    app.get(`/api/channels/:name/${path}`, {
      schema: { ...shared, summary, params: ChannelParams, querystring, response: answers(200, page) }
    }, request => moderation[path](request.actor, request.params.name, request.query))
  }

  app.patch('/api/channels/:name/messages/:id', {
    schema: {
      ...shared,
      summary: 'Edit a message of one\'s own',
      params: MessageParams,
      body: Type.Object({ message: MessageText }, { additionalProperties: false }),
      response: answers(200, Receipt)
    }
  }, request => messages.change(request.actor, request.params.name, request.params.id, request.body.message))

  app.delete('/api/channels/:name/messages/:id', {
    schema: { ...shared, summary: 'Delete a message', params: MessageParams, response: answers(204, Type.Null()) }
  }, async (request, reply) => {
    await messages.change(request.actor, request.params.name, request.params.id, null)
    return reply.code(204).send(null)
  })
}

export default routes

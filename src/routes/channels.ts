import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import {
  Channel, ChannelCreation, ChannelPage, ChannelParams, ChannelPatch, ChannelQuery, MemberPage, MemberQuery, OnlinePage
} from '../schemas/channel.ts'
import { ErrorReply } from '../schemas/common.ts'
import type { Channels } from '../services/channels.ts'

const shared = { tags: ['channels'], security: [{ bearer: [] }] }

const routes: FastifyPluginAsyncTypebox<{ channels: Channels }> = async (app, { channels }) => {
  app.addHook('onRequest', app.authenticate)

  app.get('/api/channels', {
    schema: { ...shared, summary: 'Channels you may know of', querystring: ChannelQuery, response: { 200: ChannelPage, '4xx': ErrorReply } }
  }, async request => {
    const page = await channels.list(request.user.id, request.query)
    return { channels: page.channels.map(({ channel }) => channel), next_cursor: page.next_cursor }
  })

  app.post('/api/channels', {
    schema: { ...shared, summary: 'Make a channel and become its first moderator', body: ChannelCreation, response: { 201: Channel, '4xx': ErrorReply } }
  }, async (request, reply) => {
    const { name, channel_type: type } = request.body
    return reply.code(201).send(await channels.create(request.user.id, name, type))
  })

  app.get('/api/channels/:name', {
    schema: { ...shared, summary: 'One channel', params: ChannelParams, response: { 200: Channel, '4xx': ErrorReply } }
  }, async request => (await channels.find(request.user.id, request.params.name)).channel)

  app.patch('/api/channels/:name', {
    schema: {
      ...shared,
      summary: 'Change the type; whoever may no longer be there is out',
      params: ChannelParams,
      body: ChannelPatch,
      response: { 200: Channel, '4xx': ErrorReply }
    }
  }, request => channels.setType(request.user.id, request.params.name, request.body.channel_type))

  app.delete('/api/channels/:name', {
    schema: { ...shared, summary: 'Delete a channel with all its messages', params: ChannelParams, response: { 204: Type.Null(), '4xx': ErrorReply } }
  }, async (request, reply) => {
    await channels.delete(request.user.id, request.params.name)
    return reply.code(204).send(null)
  })

  app.get('/api/channels/:name/members', {
    schema: { ...shared, summary: 'Members', params: ChannelParams, querystring: MemberQuery, response: { 200: MemberPage, '4xx': ErrorReply } }
  }, request => channels.members(request.user.id, request.params.name, request.query))

  app.get('/api/channels/:name/online', {
    schema: { ...shared, summary: 'Who is online in it now', params: ChannelParams, querystring: MemberQuery, response: { 200: OnlinePage, '4xx': ErrorReply } }
  }, request => channels.onlinePage(request.user.id, request.params.name, request.query))
}

export default routes

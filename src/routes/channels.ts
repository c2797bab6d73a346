import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Channel, ChannelPage, ChannelParams, ChannelQuery, MemberPage, MemberQuery, OnlinePage } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import type { Channels } from '../services/channels.ts'

const shared = { tags: ['channels'], security: [{ bearer: [] }] }

const routes: FastifyPluginAsyncTypebox<{ channels: Channels }> = async (app, { channels }) => {
  app.requireUser()

  app.get('/api/channels', {
    schema: {
      ...shared,
      operationId: 'list_channels',
      summary: 'Channels you may know of',
      querystring: ChannelQuery,
      response: answers(200, ChannelPage)
    }
  }, async request => {
    const page = await channels.list(request.actor, request.query)
    return { channels: page.items.map(({ channel }) => channel), next_cursor: page.next_cursor }
  })

  app.get('/api/channels/:name', {
    schema: { ...shared, operationId: 'get_channel', summary: 'One channel', params: ChannelParams, response: answers(200, Channel) }
  }, async request => (await channels.find(request.actor, request.params.name)).channel)

  app.get('/api/channels/:name/members', {
    schema: {
      ...shared,
      operationId: 'list_members',
      summary: 'Members',
      params: ChannelParams,
      querystring: MemberQuery,
      response: answers(200, MemberPage)
    }
  }, request => channels.members(request.actor, request.params.name, request.query))

  app.get('/api/channels/:name/online', {
    schema: {
      ...shared,
      operationId: 'list_online',
      summary: 'Who is online in it now',
      params: ChannelParams,
      querystring: MemberQuery,
      response: answers(200, OnlinePage)
    }
  }, request => channels.online(request.actor, request.params.name, request.query))
}

export default routes

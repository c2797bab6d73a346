import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { BlockAnswer, BlockPage, BlockParams } from '../schemas/block.ts'
import { Channel, MemberQuery } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { DirectOpening } from '../schemas/direct.ts'
import type { Blocks } from '../services/blocks.ts'
import type { Directs } from '../services/directs.ts'

const security = [{ bearer: [] }]

const routes: FastifyPluginAsyncTypebox<{ blocks: Blocks, directs: Directs }> = async (app, { blocks, directs }) => {
  app.requireUser()

  app.post('/api/directs', {
    schema: {
      tags: ['channels'],
      security,
      operationId: 'open_direct',
      summary: 'Open the direct channel with another user; 200 where it was there before',
      body: DirectOpening,
      response: { ...answers(200, Channel), ...answers(201, Channel) }
    }
  }, async (request, reply) => {
    const { channel, isNew } = await directs.open(request.actor, request.body.user_id)
    return reply.code(isNew ? 201 : 200).send(channel)
  })

  app.get('/api/me/blocks', {
    schema: {
      tags: ['me'],
      security,
      operationId: 'list_blocks',
      summary: 'The users whom you block',
      querystring: MemberQuery,
      response: answers(200, BlockPage)
    }
  }, request => blocks.list(request.user.id, request.query))

  app.put('/api/me/blocks/:user_id', {
    schema: {
      tags: ['me'],
      security,
      operationId: 'block_user',
      summary: 'Block a user: neither their direct messages nor their invitations arrive',
      params: BlockParams,
      response: answers(200, BlockAnswer)
    }
  }, async request => {
    await blocks.set(request.actor, request.params.user_id, true)
    return request.params
  })

  app.delete('/api/me/blocks/:user_id', {
    schema: {
      tags: ['me'], security, operationId: 'unblock_user', summary: 'End a block', params: BlockParams, response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    await blocks.set(request.actor, request.params.user_id, false)
    return reply.code(204).send(null)
  })
}

export default routes

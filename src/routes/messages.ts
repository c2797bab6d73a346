import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ChannelParams } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { HistoryPage, HistoryQuery, Message, MessageCreation, MessageParams, Receipt } from '../schemas/message.ts'
import { SignalCreation } from '../schemas/signal.ts'
import type { Messages } from '../services/messages.ts'
import type { Signals } from '../services/signals.ts'

const shared = { tags: ['messages'], security: [{ bearer: [] }], params: ChannelParams }

const routes: FastifyPluginAsyncTypebox<{ messages: Messages, signals: Signals }> = async (app, { messages, signals }) => {
  app.requireUser()

  app.get('/api/channels/:name/messages', {
    schema: {
      ...shared,
      operationId: 'list_messages',
      summary: 'History, ascending by seq; around gives the page around a seq',
      querystring: HistoryQuery,
      response: answers(200, HistoryPage)
    }
  }, request => messages.history(request.actor, request.params.name, request.query))

  app.get('/api/channels/:name/messages/:id', {
    schema: { ...shared, operationId: 'get_message', summary: 'One message', params: MessageParams, response: answers(200, Message) }
  }, request => messages.find(request.actor, request.params.name, request.params.id))

  app.post('/api/channels/:name/messages', {
    schema: {
      ...shared,
      operationId: 'send_message',
      summary: 'Send a message as a member; 200 where the same client_id was stored before',
      body: MessageCreation,
      response: { ...answers(200, Receipt), ...answers(201, Receipt) }
    }
  }, async (request, reply) => {
    const receipt = await messages.publish(request.actor, request.user.name, request.params.name, request.body)
    return reply.code(receipt.duplicate ? 200 : 201).send(receipt)
  })

  app.post('/api/channels/:name/signals', {
    schema: {
      ...shared,
      operationId: 'send_signal',
      summary: 'Send a signal, which is not stored, to everyone who listens',
      body: SignalCreation,
      response: answers(204, Type.Null())
    }
  }, async (request, reply) => {
    const { event, data } = request.body
    await signals.publish(request.actor, request.user, request.params.name, event, data)
    return reply.code(204).send(null)
  })
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answers } from '../schemas/common.ts'
import { SearchPage, SearchQuery } from '../schemas/search.ts'
import type { MessageSearch } from '../services/search.ts'

const routes: FastifyPluginAsyncTypebox<{ search: MessageSearch }> = async (app, { search }) => {
  app.requireUser()

  app.get('/api/messages', {
    schema: {
      tags: ['messages'],
      security: [{ bearer: [] }],
      operationId: 'search_messages',
      summary: 'Search the texts of messages in your channels, newest first',
      querystring: SearchQuery,
      response: answers(200, SearchPage)
    }
  }, request => search.mine(request.actor, request.query))
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { Overview } from '../connections/overview.ts'
import { AppError } from '../errors.ts'
import { answers } from '../schemas/common.ts'
import { ConnectionPage, ConnectionParams, ConnectionQuery } from '../schemas/connection.ts'
import { Stats } from '../schemas/stats.ts'
import { readPage } from '../services/paging.ts'
import type { Watching } from '../services/watching.ts'

const shared = { tags: ['admin'], security: [{ bearer: [] }] }

export interface WatchingDeps {
  watching: Watching
  overview: Overview
  /** Id of this instance. */
  instance: string
  /** The numbers of this instance, at most a second old. */
  currentStats (): Promise<Stats>
}

/** Routes by which admins look at this instance. Other users get `not_authorized` before fields are checked. */
const routes: FastifyPluginAsyncTypebox<WatchingDeps> = async (app, { watching, overview, instance, currentStats }) => {
  app.requireUser()
  app.addHook('preValidation', async request => {
    if (request.user.role !== 'admin') throw new AppError('not_authorized')
  })

  app.get('/api/admin/stats', {
    schema: {
      ...shared,
      operationId: 'get_stats',
      summary: 'The numbers of the instance that answers',
      response: answers(200, Stats)
    }
  }, () => currentStats())

  app.get('/api/admin/connections', {
    schema: {
      ...shared,
      operationId: 'list_connections',
      summary: 'Connections of the instance that answers, the oldest first',
      querystring: ConnectionQuery,
      response: answers(200, ConnectionPage)
    }
  }, async ({ query: { user_id: userId, ...place } }) => {
    const order = { shape: 'uuid' as const, key: ({ id }: { id: string }) => id }
    const { items, next_cursor } = await readPage(place, order, async (after, most) => overview.list(after, most, userId))
    return { instance, connections: items, next_cursor }
  })

  app.delete('/api/admin/connections/:id', {
    schema: {
      ...shared,
      operationId: 'close_connection',
      summary: 'Close a connection of the instance that answers',
      params: ConnectionParams,
      response: answers(204, Type.Null())
    }
  }, async ({ actor, params: { id } }, reply) => {
    const session = overview.find(id)
    if (!session) throw new AppError('connection_not_found')
    await watching.closing(actor, session)
    session.close('disconnected')
    return reply.code(204).send(null)
  })
}

export default routes

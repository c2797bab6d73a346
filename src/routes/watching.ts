import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { AppError } from '../errors.ts'
import { answers } from '../schemas/common.ts'
import { Stats } from '../schemas/stats.ts'

const shared = { tags: ['admin'], security: [{ bearer: [] }] }

export interface WatchingDeps {
  /** The numbers of this instance, at most a second old. */
  currentStats (): Promise<Stats>
}

/** Routes by which admins look at this instance. Other users get `not_authorized` before fields are checked. */
const routes: FastifyPluginAsyncTypebox<WatchingDeps> = async (app, { currentStats }) => {
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
}

export default routes

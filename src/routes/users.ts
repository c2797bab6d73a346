import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { resolveTarget, targetOf, type HandleLookup } from '../requests/target.ts'
import { answers } from '../schemas/common.ts'
import { DirectoryPage, DirectoryParams, DirectoryQuery, DirectoryUser } from '../schemas/directory.ts'
import type { Directory } from '../services/directory.ts'

const shared = { tags: ['users'], security: [{ bearer: [] }] }

interface UserDeps extends HandleLookup { directory: Directory }

/** The directory of users [P46]. It is registered only where `users.directory` is true. */
const routes: FastifyPluginAsyncTypebox<UserDeps> = async (app, { directory, idOfHandle }) => {
  app.requireUser()

  app.get('/api/users', {
    schema: {
      ...shared,
      operationId: 'find_users',
      summary: 'Users whose name or handle begins with `query`',
      querystring: DirectoryQuery,
      response: answers(200, DirectoryPage)
    }
  }, request => directory.search(request.user.id, request.query))

  app.get('/api/users/:id', {
    schema: { ...shared, operationId: 'get_user', summary: 'One user', params: DirectoryParams, response: answers(200, DirectoryUser) }
  }, async request => {
    const { user_id: id } = await resolveTarget({ idOfHandle }, targetOf(request.params.id))
    return directory.find(request.user.id, id!)
  })
}

export default routes

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ChannelParams, MemberQuery } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { BanPage, LogPage, LogQuery, ModeratorPage, MutePage } from '../schemas/moderation.ts'
import type { Moderation } from '../services/moderation.ts'

/** Lists about the moderation of a channel. `path` is also the name of the service's method. */
const lists = [
  { path: 'bans', summary: 'Bans in force', querystring: MemberQuery, page: BanPage },
  { path: 'mutes', summary: 'Mutes in force', querystring: MemberQuery, page: MutePage },
  { path: 'moderators', summary: 'Channel moderators', querystring: MemberQuery, page: ModeratorPage },
  { path: 'log', summary: 'The channel\'s moderation log, for its moderators', querystring: LogQuery, page: LogPage }
] as const

const routes: FastifyPluginAsyncTypebox<{ moderation: Moderation }> = async (app, { moderation }) => {
  app.requireUser()

  for (const { path, summary, querystring, page } of lists) {
    app.get(`/api/channels/:name/${path}`, {
      schema: {
        tags: ['moderation'],
        security: [{ bearer: [] }],
        operationId: `list_${path}`,
        summary,
        params: ChannelParams,
        querystring,
        response: answers(200, page)
      }
    }, request => moderation[path](request.actor, request.params.name, request.query))
  }
}

export default routes

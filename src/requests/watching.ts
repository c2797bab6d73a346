import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { Uuid } from '../schemas/common.ts'
import { Stats } from '../schemas/stats.ts'
import { request } from './row.ts'

/** Requests by which admins watch the server [P77]. */
export const requests = {
  watch_stats: request({
    fields: {},
    who: 'admin',
    about: 'Sends the numbers of every instance to this connection, once a second [P78].',
    cost: 'command',
    reply: { action: 'stats_watched', data: Type.Object({ instance: Uuid }) },
    notices: {
      stats: Type.Object(Stats.properties, { description: 'The numbers of one instance, to admins that watch them [P77] [P78].' })
    },
    async answer ({ watching, watchers, instance }, session) {
      await watching.admit(session.actor)
      // This instance may not have heard yet that the user has become an admin.
      if (session.user) session.user.role = 'admin'
      return { ...success('stats_watched', { instance }), after: () => watchers.watch(session) }
    }
  }),

  unwatch_stats: request({
    fields: {},
    who: 'user',
    about: 'Sends this connection no numbers any more; without effect where it gets none [P78].',
    cost: 'command',
    reply: { action: 'stats_unwatched', data: Type.Object({}) },
    answer ({ watchers }, session) {
      watchers.unwatch(session)
      return success('stats_unwatched', {})
    }
  })
}

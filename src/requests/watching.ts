import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { ChannelName, Uuid } from '../schemas/common.ts'
import { Stats } from '../schemas/stats.ts'
import { Trace } from '../schemas/trace.ts'
import type { Session } from '../connections/session.ts'
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
      learnRole(session)
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
  }),

  watch_trace: request({
    fields: { channel: ChannelName },
    who: 'admin',
    about: 'Tells this connection for a minute when each message of a channel was where on its way through this instance [P80].',
    errors: ['channel_not_found'],
    cost: 'command',
    reply: { action: 'trace_watched', data: Type.Object({ channel: Type.String(), instance: Uuid }) },
    notices: { trace: Trace },
    async answer ({ watching, tracer, instance }, session, { channel }) {
      await watching.admit(session.actor)
      tracer.checkRoom(session)
      const channelId = await watching.trace(session.actor, channel)
      learnRole(session)
      tracer.begin(session, channelId, channel)
      return success('trace_watched', { channel, instance })
    }
  })
}

/** The database has just said that the user is an admin, which this instance may not have heard yet. */
function learnRole ({ user }: Session): void {
  if (user) user.role = 'admin'
}

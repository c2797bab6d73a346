import { success } from '../connections/reply.ts'
import { ChannelName, Seq } from '../schemas/common.ts'
import { ReadMarker, UserRead } from '../schemas/read.ts'
import { request } from './row.ts'

export const requests = {
  /** A subscriber's mark is judged by what this instance knows, without the database: it may be as frequent as messages [P43]. */
  mark_read: request({
    fields: { channel: ChannelName, seq: Seq },
    who: 'user',
    about: 'Says up to which `seq` the user has read a channel [P43].',
    errors: ['channel_not_found', 'not_in_channel', 'banned', 'not_authorized'],
    reply: { action: 'read_marked', data: ReadMarker },
    notices: { read_marker: ReadMarker, user_read: UserRead },
    route: 'PUT /api/channels/:name/read',
    async answer ({ reads }, session, { channel: channelName, seq }) {
      const { actor, id } = session
      const subscription = session.subscriptions.get(channelName)
      const isKnown = subscription !== undefined && seq <= subscription.sequencer.claimed && !subscription.leaving.has(actor.userId)
      const position = isKnown
        ? reads.mark({ channelId: subscription.id, channelName, userId: actor.userId }, seq, id)
        : await reads.judgeAndMark(actor, channelName, seq, id)
      return success('read_marked', { channel: channelName, seq: position })
    }
  })
}

import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { AppError } from '../errors.ts'
import { ChannelName, MessageId } from '../schemas/common.ts'
import { isDirect } from '../schemas/direct.ts'
import { MessageData, MessageText, MessageDeleted, MessageEdited, MessageSent, Receipt, messageFields } from '../schemas/message.ts'
import { Signal, SignalData, SignalName } from '../schemas/signal.ts'
import { command, request } from './row.ts'

export const requests = {
  /** The hot path: it is queued without waiting for the replies to the sends before it [P7]. */
  send_message: request({
    fields: { channel: ChannelName, ...messageFields },
    who: 'user',
    about: 'Sends a message to a channel that this connection has joined. The reply says that it is stored [P25]–[P29] [P38] [P39].',
    errors: [
      'not_in_channel', 'channel_not_found', 'not_authorized', 'banned', 'muted', 'blocked', 'user_not_found', 'message_not_found',
      'message_too_long'
    ],
    reply: { action: 'message_sent', data: Receipt },
    notices: { message: MessageSent },
    route: 'POST /api/channels/:name/messages'
  }),

  /** Judged by what this instance knows of subscriptions and mutes, without the database [P42]. */
  signal: request({
    fields: { channel: ChannelName, event: SignalName, data: SignalData },
    who: 'user',
    about: 'Tells the other subscribers of a channel of something that is not kept, such as typing [P42].',
    errors: ['not_in_channel', 'muted', 'blocked'],
    cost: 'signal',
    reply: { action: 'signal_sent', data: Type.Object({ channel: Type.String() }) },
    notices: { signal: Signal },
    route: 'POST /api/channels/:name/signals',
    answer ({ signals }, session, { channel, event, data }) {
      signals.check(data)
      const subscription = session.subscriptions.get(channel)
      if (!subscription) throw new AppError('not_in_channel')
      const sender = session.user!
      const retryAfterMs = subscription.mutedFor(sender.id)
      // In a direct channel nobody is muted: the other user blocks the sender [P48].
      if (retryAfterMs > 0 && isDirect(channel)) throw new AppError('blocked')
      if (retryAfterMs > 0) throw new AppError('muted', { retryAfterMs })
      signals.send({ channelId: subscription.id, channelName: channel, sender, event, data }, session.id)
      return success('signal_sent', { channel })
    }
  })
}

const tag = 'messages'
const route = '/api/channels/:name/messages/:id'
const Changed = Type.Pick(Receipt, ['channel', 'id', 'seq', 'timestamp'])

/** Commands that change stored messages. Each change is an entry of the channel's sequence [P34]. */
export const commands = {
  edit_message: command({
    fields: { channel: ChannelName, id: MessageId, message: MessageText, data: MessageData },
    who: 'author',
    about: 'Changes the text of a message of one\'s own, and its data [P34] [P38].',
    errors: ['channel_not_found', 'not_in_channel', 'banned', 'muted', 'blocked', 'message_too_long'],
    action: 'message_edited',
    result: Changed,
    notices: { message_edited: MessageEdited },
    rest: { route: `PATCH ${route}`, tag, summary: 'Edit a message of one\'s own', status: 200 },
    run: ({ messages }, actor, { channel, id, message, data }) => messages.edit(actor, channel, id, { message, data })
  }),

  delete_message: command({
    fields: { channel: ChannelName, id: MessageId },
    who: 'author, or moderator not below them',
    about: 'Deletes a message [P34].',
    errors: ['channel_not_found', 'not_in_channel', 'banned'],
    action: 'message_deleted',
    result: Changed,
    notices: { message_deleted: MessageDeleted },
    rest: { route: `DELETE ${route}`, tag, summary: 'Delete a message', status: 204 },
    run: ({ messages }, actor, { channel, id }) => messages.delete(actor, channel, id)
  })
}

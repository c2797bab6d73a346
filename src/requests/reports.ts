import { Type } from '@sinclair/typebox'
import { ChannelName, MessageId, Uuid } from '../schemas/common.ts'
import { ReportFiled, ReportReason } from '../schemas/report.ts'
import { command } from './row.ts'

/** Reports of messages [P49]. They are listed and settled over REST only. */
export const commands = {
  report_message: command({
    fields: { channel: ChannelName, id: MessageId, reason: Type.Optional(ReportReason) },
    who: 'member except the author',
    about: 'Reports a message to the users who moderate its channel [P49].',
    errors: ['channel_not_found', 'not_in_channel', 'banned'],
    action: 'message_reported',
    result: Type.Object({ channel: Type.String(), id: Uuid, report_id: Uuid }),
    notices: { report_filed: ReportFiled },
    rest: {
      route: 'POST /api/channels/:name/messages/:id/reports',
      tag: 'moderation',
      summary: 'Report a message to the channel\'s moderators',
      status: 201
    },
    async run ({ reports }, actor, { channel, id, reason }) {
      return { channel, id, report_id: await reports.file(actor, channel, id, reason) }
    }
  })
}

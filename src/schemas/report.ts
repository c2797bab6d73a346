import { Type, type Static } from '@sinclair/typebox'
import { AnyHandle, ChannelName, Choice, NextCursor, PageQuery, ReportId, Seq, Text, Timestamp, Uuid } from './common.ts'
import { MessageData } from './message.ts'

/** The service trims it and checks its length in code points. */
export const ReportReason = Text()

export const Resolution = Choice(['dismissed', 'removed', 'sanctioned'])
export type Resolution = Static<typeof Resolution>

/** The reported message as it was then. `user_id`, `username` and `handle` are its author's; `message` is null once they are erased. */
const copy = {
  message_id: Uuid,
  seq: Seq,
  user_id: Uuid,
  username: Type.String(),
  handle: AnyHandle,
  message: Type.Union([Type.String(), Type.Null()]),
  data: MessageData,
  sent_at: Timestamp
}

/** [P49] A report with its copy of the message. An open one has null as `resolution`, `settled_by` and `settled_at`. */
export const Report = Type.Object({
  id: Uuid,
  channel: Type.String(),
  channel_id: Uuid,
  ...copy,
  reported_by: Uuid,
  reason: Type.Union([Type.String(), Type.Null()]),
  created_at: Timestamp,
  resolution: Type.Union([Resolution, Type.Null()]),
  settled_by: Type.Union([Uuid, Type.Null()]),
  settled_at: Type.Union([Timestamp, Type.Null()])
})
export type Report = Static<typeof Report>

export const ReportPage = Type.Object({ reports: Type.Array(Report), next_cursor: NextCursor })
export const ReportQuery = Type.Composite([
  PageQuery, Type.Object({ status: Type.Optional(Choice(['open', 'settled'])) })
], { additionalProperties: false })
export type ReportQuery = Static<typeof ReportQuery>
export const ReportParams = Type.Object({ id: ReportId })
export const ChannelReportParams = Type.Object({ name: ChannelName, id: ReportId })
export const Settlement = Type.Object({ resolution: Resolution }, { additionalProperties: false })

/** What moderators who are online get of a new report. It has neither text nor data where these would make the frame too large [P59]. */
export const ReportFiled = Type.Object({
  channel: Type.String(),
  report: Type.Object({ ...Report.properties, message: Type.Optional(Report.properties.message) }),
  timestamp: Timestamp
}, { description: 'A message was reported. Users who may settle the report are told [P49].' })

import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'
import type { Report, ReportQuery, Resolution } from '../schemas/report.ts'
import type { ReportStore } from '../store/reports.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'
import { longerThan } from './text.ts'

/** Users who are told of a report at most. Each of them costs a message on the bus. */
const MOST_TOLD = 200

export type Reports = ReturnType<typeof createReports>

/** Files reports of messages, and lists and settles them [P49]. A `channelName` of null means all channels; only admins may name none. */
export function createReports ({ store, events, maxReason, perMinute, maxNotice }: {
  store: ReportStore
  events: Events
  /** Longest reason, in code points. */
  maxReason: number
  /** Reports that a user may make per minute; 0 means no limit. */
  perMinute: number
  /** Bytes of JSON that a report in a notice may take [P59]. */
  maxNotice: number
}) {
  /** Returns the trimmed reason, null for none. @throws AppError `invalid_request` if it is too long. */
  function checkReason (given: string | undefined): string | null {
    const reason = given?.trim() ?? ''
    if (longerThan(reason, maxReason)) throw new AppError('invalid_request', { detail: `reason: expected at most ${maxReason} characters` })
    return reason === '' ? null : reason
  }

  function tell (userIds: string[], report: Report): void {
    const { message: _, data: __, ...rest } = report
    const shown = jsonSize(report) <= maxNotice ? report : rest
    events.usersNotified(userIds, { type: 'report_filed', channel: report.channel, report: shown, timestamp: report.created_at })
  }

  return {
    /**
     * Reports a message, and tells those who may settle the report and are online.
     * @returns the id of the report: of the first one, while a report of this user on this message is open.
     * @throws AppError
     */
    async file (actor: Actor, channelName: string, messageId: string, reason: string | undefined): Promise<string> {
      const limits = { perMinute, mostTold: MOST_TOLD }
      const { report, told } = await store.file(actor, channelName, messageId, checkReason(reason), limits)
      if (told) tell(told, report)
      return report.id
    },

    /** A page of reports, newest first. @throws AppError */
    async list (actor: Actor, channelName: string | null, { status, ...query }: ReportQuery) {
      const { items: reports, ...rest } = await readPage(query, byId, (after, most) =>
        store.list(actor, { channelName, status }, after, most))
      return { reports, ...rest }
    },

    /** Settles a report. @throws AppError `report_settled` if it has another resolution already. */
    settle: (actor: Actor, channelName: string | null, id: string, resolution: Resolution): Promise<Report> =>
      store.settle(actor, channelName, id, resolution)
  }
}

const byId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }

import { uuidv7 } from 'uuidv7'
import { AppError, type ErrorCode } from '../errors.ts'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { Report, Resolution } from '../schemas/report.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** `perMinute`: reports that a user may make, 0 for no limit. `mostTold`: users whom `file` names at most. */
export interface ReportLimits { perMinute: number, mostTold: number }

/** A report that is stored. `told`: the users whom to tell of it; null where the actor's report of the message was open already. */
export interface Filed { report: Report, told: string[] | null }

/** What to list: reports of a channel, or of all channels (null); only open or settled ones, or both (undefined). */
export interface ReportFilter { channelName: string | null, status: 'open' | 'settled' | undefined }

export type ReportStore = ReturnType<typeof createReportStore>

/** Reports of messages [P49]. Each call judges the actor in the statement that reads or writes, and throws an AppError for a refusal. */
export function createReportStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Stores a report with a copy of the message, unless the actor's report of this message is open already. */
    async file (
      { userId, sid }: Actor, channelName: string, messageId: string, reason: string | null, { perMinute, mostTold }: ReportLimits
    ): Promise<Filed> {
      const [row] = await prisma.$queryRaw<[ReportRow & { told: string[] | null }]>`
        SELECT ${reportColumns}, x.told, x.retry_after_ms
        FROM parley_report_message(${userId}::uuid, ${sid}::uuid, ${channelName}, ${messageId}::uuid, ${reason}, ${uuidv7()}::uuid,
          ${perMinute}::int, ${mostTold}::int) x ${withAuthor}`
      return { report: toReport(row), told: row.told }
    },

    /** Lists reports, newest first, older than the report `after`. */
    async list (
      { userId, sid }: Actor, { channelName, status }: ReportFilter, after: string | undefined, limit: number
    ): Promise<Report[]> {
      const isOpen = status === undefined ? null : status === 'open'
      const rows = await prisma.$queryRaw<ReportRow[]>`
        SELECT ${reportColumns}
        FROM parley_list_reports(${userId}::uuid, ${sid}::uuid, ${channelName}, ${isOpen}::boolean, ${after ?? null}::uuid, ${limit}::int) x
        ${withAuthor} ORDER BY (x.report).id DESC`
      return rows.map(toReport)
    },

    /** Settles a report of this channel, or, where `channelName` is null, of any. @returns the report as it is then. */
    async settle ({ userId, sid }: Actor, channelName: string | null, id: string, resolution: Resolution): Promise<Report> {
      const [row] = await prisma.$queryRaw<[ReportRow]>`
        SELECT ${reportColumns}
        FROM parley_settle_report(${userId}::uuid, ${sid}::uuid, ${channelName}, ${id}::uuid, ${resolution}::"ReportResolution") x
        ${withAuthor}`
      return toReport(row)
    }
  })
}

/** The columns of a ReportRow, read from the result `x` of a function and the author `u` of the reported message. */
const reportColumns = Prisma.sql`x.code, (x.report).id, (x.report)."channelName" AS channel, (x.report)."channelId" AS channel_id,
  (x.report)."messageId" AS message_id, (x.report).seq, (x.report)."authorId" AS user_id, coalesce(u.name, '') AS username, u.handle,
  (x.report).content, (x.report).data, (x.report)."sentAt" AS sent_at, (x.report)."reporterId" AS reported_by, (x.report).reason,
  (x.report)."createdAt" AS created_at, (x.report).resolution::text AS resolution, (x.report)."settledBy" AS settled_by,
  (x.report)."settledAt" AS settled_at`
/** LIMIT 1 makes each name one index probe, whatever sizes the planner assumes. */
const withAuthor = Prisma.sql`LEFT JOIN LATERAL (
  SELECT o.name, o.handle FROM "User" o WHERE o.id = (x.report)."authorId" LIMIT 1) u ON true`

interface ReportRow {
  code: ErrorCode | null
  id: string
  channel: string
  channel_id: string
  message_id: string
  seq: bigint
  user_id: string
  username: string
  handle: string | null
  content: string | null
  data: string | null
  sent_at: Date
  reported_by: string
  reason: string | null
  created_at: Date
  resolution: Resolution | null
  settled_by: string | null
  settled_at: Date | null
  retry_after_ms?: bigint | null
}

function toReport (row: ReportRow): Report {
  const { code, retry_after_ms: retryAfterMs } = row
  if (code !== null) throw new AppError(code, { retryAfterMs: retryAfterMs ? Number(retryAfterMs) : undefined })
  return {
    id: row.id,
    channel: row.channel,
    channel_id: row.channel_id,
    message_id: row.message_id,
    seq: Number(row.seq),
    user_id: row.user_id,
    username: row.username,
    handle: row.handle,
    message: row.content,
    ...row.data !== null && { data: JSON.parse(row.data) as unknown },
    sent_at: row.sent_at.toISOString(),
    reported_by: row.reported_by,
    reason: row.reason,
    created_at: row.created_at.toISOString(),
    resolution: row.resolution,
    settled_by: row.settled_by,
    settled_at: row.settled_at?.toISOString() ?? null
  }
}

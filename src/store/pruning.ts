import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { NIL } from './channels.ts'
import { withStoreErrors } from './errors.ts'

/** The oldest entries of a channel, up to and including the sequence number `upTo`. `changes` counts edits, deletions and reactions. */
export interface OldEntries { upTo: bigint, messages: number, changes: number }

/** Counts of old rows that are not channel entries: lines of the moderation log, reports, and ended guests and erased accounts. */
export interface OldRest { log: number, reports: number, users: number }

/** A channel with a retention [P50]. Entries from before `cutoff` are too old. `isDue`: it may have such entries, besides its newest. */
export interface RetainingChannel { id: string, cutoff: Date, isDue: boolean }

export type Pruning = ReturnType<typeof createPruning>

/** Deletes rows by age, in short statements that take no lock that a running server waits for. */
export function createPruning (prisma: PrismaClient) {
  return withStoreErrors({
    /** Returns the time `seconds` ago, by the database's clock. */
    async ago (seconds: number): Promise<Date> {
      const [row] = await prisma.$queryRaw<[{ moment: Date }]>`SELECT now() - make_interval(secs => ${seconds}) AS moment`
      return row.moment
    },

    /** Lists up to `limit` channel ids in order, after the id `after`. */
    async channels (after: string = NIL, limit = 1000): Promise<string[]> {
      const where = { id: { gt: after } }
      const rows = await prisma.channel.findMany({ where, orderBy: { id: 'asc' }, take: limit, select: { id: true } })
      return rows.map(({ id }) => id)
    },

    /**
     * Reads the `limit` entries that follow `after` and counts those before the first that is not older than `cutoff`; null where there are
     * none. Entries behind that first one stay even where their time is older, so that the remaining stream has no gap. The newest entry of
     * the channel stays in any case: a client that has it may resume from it [P37].
     */
    async oldEntries (channelId: string, cutoff: Date, after: bigint, limit: number): Promise<OldEntries | null> {
      const [row] = await prisma.$queryRaw<[{ up_to: bigint | null, messages: bigint, changes: bigint }]>`
        WITH entry AS (
          (SELECT seq, "createdAt" AS at, true AS message FROM "Message" WHERE "channelId" = ${channelId}::uuid AND seq > ${after}
            ORDER BY seq LIMIT ${limit})
          UNION ALL
          (SELECT seq, "createdAt", false FROM "MessageChange" WHERE "channelId" = ${channelId}::uuid AND seq > ${after}
            ORDER BY seq LIMIT ${limit})
          UNION ALL
          (SELECT seq, "createdAt", false FROM "Reaction" WHERE "channelId" = ${channelId}::uuid AND seq > ${after}
            ORDER BY seq LIMIT ${limit})
          ORDER BY seq LIMIT ${limit}
        )
        SELECT max(seq) AS up_to, count(*) FILTER (WHERE message) AS messages, count(*) FILTER (WHERE NOT message) AS changes
        FROM entry WHERE seq < least(
          (SELECT min(seq) FROM entry WHERE at >= ${cutoff}), (SELECT "lastSeq" FROM "Channel" WHERE id = ${channelId}::uuid))`
      return row.up_to === null ? null : { upTo: row.up_to, messages: Number(row.messages), changes: Number(row.changes) }
    },

    /** Deletes entries up to `upTo`. Numbering continues [P27]; a client that resumes from an earlier `seq` is told of the loss [P30]. */
    async deleteEntries (channelId: string, upTo: bigint): Promise<void> {
      await prisma.$executeRaw`
        WITH message AS (DELETE FROM "Message" WHERE "channelId" = ${channelId}::uuid AND seq <= ${upTo}),
        reaction AS (DELETE FROM "Reaction" WHERE "channelId" = ${channelId}::uuid AND seq <= ${upTo})
        DELETE FROM "MessageChange" WHERE "channelId" = ${channelId}::uuid AND seq <= ${upTo}`
    },

    /** Lists up to `limit` channels with a retention, in order of id, after the id `after` [P50]. */
    async retaining (after: string = NIL, limit = 1000): Promise<RetainingChannel[]> {
      const rows = await prisma.$queryRaw<Array<{ id: string, cutoff: Date, due: boolean }>>`
        SELECT c.id, c.cutoff, coalesce(least(m.at, x.at, r.at) < c.cutoff, false) AS due
        FROM (
          SELECT id, "lastSeq" AS last, now() - make_interval(days => retention) AS cutoff FROM "Channel"
          WHERE retention IS NOT NULL AND id > ${after}::uuid ORDER BY id LIMIT ${limit}) c
        LEFT JOIN LATERAL (
          SELECT "createdAt" AS at FROM "Message" WHERE "channelId" = c.id AND seq < c.last ORDER BY seq LIMIT 1) m ON true
        LEFT JOIN LATERAL (
          SELECT "createdAt" AS at FROM "MessageChange" WHERE "channelId" = c.id AND seq < c.last ORDER BY seq LIMIT 1) x ON true
        LEFT JOIN LATERAL (
          SELECT "createdAt" AS at FROM "Reaction" WHERE "channelId" = c.id AND seq < c.last ORDER BY seq LIMIT 1) r ON true
        ORDER BY c.id`
      return rows.map(({ id, cutoff, due }) => ({ id, cutoff, isDue: due }))
    },

    async oldRest (cutoff: Date): Promise<OldRest> {
      const log = await prisma.moderationLog.count({ where: { createdAt: { lt: cutoff } } })
      const reports = await prisma.report.count({ where: { createdAt: { lt: cutoff } } })
      const [{ users }] = await prisma.$queryRaw<[{ users: number }]>`
        SELECT count(*)::int AS users FROM "User" u WHERE ${goneBefore(cutoff)}`
      return { log, reports, users }
    },

    /** Deletes up to `limit` lines of the moderation log that are older than `cutoff`. @returns how many it deleted. */
    async deleteLog (cutoff: Date, limit: number): Promise<number> {
      return prisma.$executeRaw`
        DELETE FROM "ModerationLog" WHERE id = ANY (ARRAY(
          SELECT id FROM "ModerationLog" WHERE "createdAt" < ${cutoff} ORDER BY "createdAt" LIMIT ${limit}))`
    },

    /**
     * Deletes up to `limit` reports that were made before `cutoff`, settled or not [P49], except those that another statement has locked.
     * @returns how many it deleted.
     */
    async deleteReports (cutoff: Date, limit: number): Promise<number> {
      return prisma.$executeRaw`
        DELETE FROM "Report" WHERE id = ANY (ARRAY(
          SELECT id FROM "Report" WHERE "createdAt" < ${cutoff} ORDER BY "createdAt" LIMIT ${limit} FOR UPDATE SKIP LOCKED))`
    },

    /**
     * Deletes up to `limit` users who ended before `cutoff`. Their messages are older still, so at most newest entries of channels are left
     * of them [P37], which then have no name. @returns how many it deleted.
     */
    async deleteUsers (cutoff: Date, limit: number): Promise<number> {
      return prisma.$executeRaw`
        DELETE FROM "User" WHERE id = ANY (ARRAY(
          SELECT u.id FROM "User" u WHERE ${goneBefore(cutoff)} ORDER BY u."disabledAt" LIMIT ${limit}))`
    },

    /**
     * Lists the tables in which a tenth of the rows changed since the planner's statistics were made, or a fifth are dead, which are
     * autovacuum's thresholds too. After a crash the database no longer knows what changed before it.
     */
    async changedTables (): Promise<string[]> {
      await prisma.$executeRaw`SELECT pg_stat_force_next_flush()`
      const rows = await prisma.$queryRaw<Array<{ name: string }>>`
        SELECT c.relname::text AS name FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
        WHERE s.schemaname = current_schema() AND (s.n_mod_since_analyze > 50 + s.n_live_tup / 10 OR s.n_dead_tup > 50 + s.n_live_tup / 5
          OR (c.reltuples < 0 AND pg_relation_size(c.oid) > 0))`
      return rows.map(({ name }) => name)
    },

    /**
     * Makes the space of a table's deleted rows reusable, and the planner's statistics anew. Without them, a page of history reads and
     * sorts the whole channel. Only the embedded database needs this call, because it has no autovacuum.
     */
    async vacuum (table: string): Promise<void> {
      await prisma.$executeRaw`VACUUM ANALYZE ${Prisma.raw(`"${table}"`)}`
    }
  })
}

/**
 * Selects guests [P16] that ended and accounts that were erased before `cutoff`. Both have no email and no memberships. The row of an
 * erased account stays as long as a direct channel of theirs does: it is the other user's `peer` [P47].
 */
function goneBefore (cutoff: Date): Prisma.Sql {
  return Prisma.sql`u.email IS NULL AND u."disabledAt" < ${cutoff}
    AND (SELECT true FROM "ChannelUser" m WHERE m."userId" = u.id LIMIT 1) IS NULL
    AND (SELECT true FROM "DirectPeer" p WHERE p."peerId" = u.id LIMIT 1) IS NULL`
}

import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { NIL } from './channels.ts'
import { withStoreErrors } from './errors.ts'

/** The oldest entries of a channel: those up to this `seq`, and how many of them are messages, and changes of messages. */
export interface OldEntries { upTo: bigint, messages: number, changes: number }

/** What is about no channel: lines of the moderation log, and rows of guests and of erased accounts. */
export interface OldRest { log: number, users: number }

export type Pruning = ReturnType<typeof createPruning>

/** What age removes. Every call is one short statement, which takes no lock that a running server waits for. */
export function createPruning (prisma: PrismaClient) {
  return withStoreErrors({
    /** The moment that was `seconds` ago, by the database's clock. */
    async ago (seconds: number): Promise<Date> {
      const [row] = await prisma.$queryRaw<[{ moment: Date }]>`SELECT now() - make_interval(secs => ${seconds}) AS moment`
      return row.moment
    },

    /** Up to `limit` ids of channels, in order, after one. */
    async channels (after: string = NIL, limit = 1000): Promise<string[]> {
      const where = { id: { gt: after } }
      const rows = await prisma.channel.findMany({ where, orderBy: { id: 'asc' }, take: limit, select: { id: true } })
      return rows.map(({ id }) => id)
    },

    /**
     * Of the `limit` entries that follow `after`, those before the first that is not older than `cutoff`; null where there is none.
     * Never one behind it, whatever its time says: what is left of a channel is a stream without holes.
     */
    async oldEntries (channelId: string, cutoff: Date, after: bigint, limit: number): Promise<OldEntries | null> {
      const [row] = await prisma.$queryRaw<[{ up_to: bigint | null, messages: bigint, changes: bigint }]>`
        WITH entry AS (
          (SELECT seq, "createdAt" AS at, true AS message FROM "Message" WHERE "channelId" = ${channelId}::uuid AND seq > ${after}
            ORDER BY seq LIMIT ${limit})
          UNION ALL
          (SELECT seq, "createdAt", false FROM "MessageChange" WHERE "channelId" = ${channelId}::uuid AND seq > ${after}
            ORDER BY seq LIMIT ${limit})
          ORDER BY seq LIMIT ${limit}
        )
        SELECT max(seq) AS up_to, count(*) FILTER (WHERE message) AS messages, count(*) FILTER (WHERE NOT message) AS changes
        FROM entry WHERE seq < coalesce((SELECT min(seq) FROM entry WHERE at >= ${cutoff}), 9223372036854775807)`
      return row.up_to === null ? null : { upTo: row.up_to, messages: Number(row.messages), changes: Number(row.changes) }
    },

    /** Removes a channel's entries up to this `seq`. Its numbering goes on [P27]; who resumes from before is told of a loss [P30]. */
    async deleteEntries (channelId: string, upTo: bigint): Promise<void> {
      await prisma.$executeRaw`
        WITH message AS (DELETE FROM "Message" WHERE "channelId" = ${channelId}::uuid AND seq <= ${upTo})
        DELETE FROM "MessageChange" WHERE "channelId" = ${channelId}::uuid AND seq <= ${upTo}`
    },

    async oldRest (cutoff: Date): Promise<OldRest> {
      const log = await prisma.moderationLog.count({ where: { createdAt: { lt: cutoff } } })
      const [{ users }] = await prisma.$queryRaw<[{ users: number }]>`
        SELECT count(*)::int AS users FROM "User" u WHERE ${goneBefore(cutoff)}`
      return { log, users }
    },

    /** Removes up to `limit` lines of the moderation log. @returns how many. */
    async deleteLog (cutoff: Date, limit: number): Promise<number> {
      return prisma.$executeRaw`
        DELETE FROM "ModerationLog" WHERE id = ANY (ARRAY(
          SELECT id FROM "ModerationLog" WHERE "createdAt" < ${cutoff} ORDER BY "createdAt" LIMIT ${limit}))`
    },

    /** Removes up to `limit` users who ended before the cutoff: what they wrote was older still. @returns how many. */
    async deleteUsers (cutoff: Date, limit: number): Promise<number> {
      return prisma.$executeRaw`
        DELETE FROM "User" WHERE id = ANY (ARRAY(
          SELECT u.id FROM "User" u WHERE ${goneBefore(cutoff)} ORDER BY u."disabledAt" LIMIT ${limit}))`
    },

    /** For the embedded database, which has nobody who does it by himself: room that was freed may be used again. */
    async vacuum (): Promise<void> {
      await prisma.$executeRaw`VACUUM`
    }
  })
}

/** Guests [P16] that have gone and accounts that were erased. Both have neither email nor membership. */
function goneBefore (cutoff: Date): Prisma.Sql {
  return Prisma.sql`u.email IS NULL AND u."disabledAt" < ${cutoff}
    AND (SELECT true FROM "ChannelUser" m WHERE m."userId" = u.id LIMIT 1) IS NULL`
}

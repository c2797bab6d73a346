import { uuidv7 } from 'uuidv7'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { ChannelType } from '../schemas/common.ts'
import type { Ban, Invitation, LogEntry, Moderator, Mute } from '../schemas/moderation.ts'
import { NIL, refused, type Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** An act of one user on another in a channel; `act` is the command's name, such as `kick_user`. */
export interface ModerationAct {
  act: string
  channelName: string
  targetId: string
  reason?: string | undefined
  /** Seconds. */
  duration?: number | undefined
}

/** Invitations that one user may have pending, and get per minute [P57]. One inviter may use a quarter of each. 0 means no limit. */
export interface InvitationLimits { pending: number, perMinute: number }

/**
 * The result of an act. `effect` is false where nothing changed, `tell` is true where the target has to be told [P57], and `ended` is true
 * where a membership ended.
 */
export interface Moderated {
  code: null
  channelId: string
  channelType: ChannelType
  aclVersion: number
  expiresAt: Date | null
  effect: boolean
  tell: boolean
  ended: boolean
}

export type ModerationStore = ReturnType<typeof createModerationStore>

export function createModerationStore (prisma: PrismaClient) {
  return withStoreErrors({
    async moderate (
      actor: Actor, { act, channelName, targetId, reason, duration }: ModerationAct, { pending, perMinute }: InvitationLimits
    ): Promise<Refused | Moderated> {
      const [row] = await prisma.$queryRaw<[ModeratedRow]>`
        SELECT * FROM parley_moderate(
          ${actor.userId}::uuid, ${act}, ${channelName}, ${targetId}::uuid, ${reason ?? null}, ${duration ?? null}::int, ${uuidv7()}::uuid,
          ${pending}::int, ${perMinute}::int, ${actor.sid}::uuid)`
      if (row.code !== null) return refused(row.code, row.retry_after_ms)
      return {
        code: null,
        channelId: row.channel_id,
        channelType: row.channel_type,
        aclVersion: Number(row.acl_version),
        expiresAt: row.expires_at,
        effect: row.effect,
        tell: row.tell,
        ended: row.ended
      }
    },

    /**
     * Lists the user's pending invitations in order of channel name, after the name `after`. Those of users whom they block are left out
     * [P48].
     */
    async invitations (userId: string, after: string | undefined, limit: number): Promise<Invitation[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Invitation>>>`
        SELECT c.name AS channel, c.id AS channel_id, c."channelType"::text AS channel_type, i."invitedBy" AS invited_by,
          coalesce(u.name, '') AS username, u.handle, i."createdAt" AS created_at
        FROM "ChannelInvite" i
        CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = i."channelId" LIMIT 1) c
        LEFT JOIN LATERAL (SELECT x.name, x.handle FROM "User" x WHERE x.id = i."invitedBy" LIMIT 1) u ON true
        WHERE i."userId" = ${userId}::uuid AND c.name > ${after ?? ''} AND NOT parley_blocks(i."userId", i."invitedBy")
        ORDER BY c.name LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** Checks whether the actor may see the channel's bans, mutes and log. */
    async mayModerate ({ userId, sid }: Actor, channelId: string): Promise<boolean> {
      const [row] = await prisma.$queryRaw<Array<{ may: boolean }>>`
        SELECT parley_can_moderate(u, c) AS may
        FROM parley_actor(${userId}::uuid, ${sid}::uuid) u, "Channel" c WHERE u.id IS NOT NULL AND c.id = ${channelId}::uuid`
      return row?.may ?? false
    },

    /** Lists the bans in force in order of user id, after the id `after`. */
    async bans (channelId: string, after: string | undefined, limit: number): Promise<Ban[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Ban>>>`
        SELECT b."userId" AS user_id, u.name AS username, u.handle, b.reason, b."bannedBy" AS banned_by, b."expiresAt" AS expires_at,
          b."createdAt" AS created_at
        FROM "ChannelBan" b JOIN "User" u ON u.id = b."userId"
        WHERE b."channelId" = ${channelId}::uuid AND b."userId" > ${after ?? NIL}::uuid
          AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp())
        ORDER BY b."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** Lists the mutes in force in order of user id, after the id `after`. */
    async mutes (channelId: string, after: string | undefined, limit: number): Promise<Mute[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Mute>>>`
        SELECT m."userId" AS user_id, u.name AS username, u.handle, m."mutedBy" AS muted_by, m."expiresAt" AS expires_at,
          m."createdAt" AS created_at
        FROM "ChannelMute" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid AND m."expiresAt" > clock_timestamp()
        ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    async moderators (channelId: string, after: string | undefined, limit: number): Promise<Moderator[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Moderator>>>`
        SELECT m."userId" AS user_id, u.name AS username, u.handle, m."createdAt" AS created_at
        FROM "ChannelModerator" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** Lists log entries, newest first, older than the entry `after`: those of one channel, or all where `channelId` is null. */
    async log (channelId: string | null, after: string | undefined, limit: number): Promise<LogEntry[]> {
      const rows = await prisma.$queryRaw<Array<Dated<LogEntry>>>`
        SELECT l.id, l."actorId" AS actor_id, l.action, l."targetId" AS target_id, l."channelId" AS channel_id, l."channelName" AS channel,
          l.reason, l."expiresAt" AS expires_at, l."createdAt" AS created_at
        FROM "ModerationLog" l
        WHERE true ${channelId === null ? Prisma.empty : Prisma.sql`AND l."channelId" = ${channelId}::uuid`}
          ${after === undefined ? Prisma.empty : Prisma.sql`AND l.id < ${after}::uuid`}
        ORDER BY l.id DESC LIMIT ${limit}`
      return rows.map(withTimes)
    }
  })
}

interface ModeratedRow {
  code: ErrorCode | null
  channel_id: string
  channel_type: ChannelType
  acl_version: bigint
  expires_at: Date | null
  effect: boolean
  tell: boolean
  ended: boolean
  retry_after_ms: bigint | null
}

/** A row as the driver returns it, with Date objects for times. */
type Dated<T> = { [K in keyof T]: K extends 'created_at' ? Date : K extends 'expires_at' ? Date | null : T[K] }

function withTimes<T extends { created_at: string }> (row: Dated<T>): T {
  const { created_at: createdAt, expires_at: expiresAt } = row as { created_at: Date, expires_at?: Date | null }
  return {
    ...row,
    created_at: createdAt.toISOString(),
    ...expiresAt !== undefined && { expires_at: expiresAt?.toISOString() ?? null }
  } as unknown as T
}

import { uuidv7 } from 'uuidv7'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { ChannelType, Role } from '../schemas/common.ts'
import type { Ban, LogEntry, Moderator, Mute, UserAct } from '../schemas/moderation.ts'
import { NIL, type Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

export interface ModerationRequest {
  actor: Actor
  act: UserAct
  channel: string
  targetId: string
  reason: string | undefined
  /** Seconds. */
  duration: number | undefined
}

/** `effect` is false where there was nothing to do; `ended` says that a membership ended. */
export interface Moderated {
  code: null
  channelId: string
  channelType: ChannelType
  aclVersion: number
  expiresAt: Date | null
  effect: boolean
  ended: boolean
}

/** A membership that ended with something else. */
export interface Ended { channelId: string, channel: string, aclVersion: number }

export type ModerationStore = ReturnType<typeof createModerationStore>

export function createModerationStore (prisma: PrismaClient) {
  return withStoreErrors({
    async moderate ({ actor, act, channel, targetId, reason, duration }: ModerationRequest): Promise<Refused | Moderated> {
      const [row] = await prisma.$queryRaw<[ModeratedRow]>`
        SELECT * FROM parley_moderate(
          ${actor.userId}::uuid, ${act}, ${channel}, ${targetId}::uuid, ${reason ?? null}, ${duration ?? null}::int, ${uuidv7()}::uuid,
          ${actor.sid}::uuid)`
      if (row.code !== null) return { code: row.code }
      return {
        code: null,
        channelId: row.channel_id,
        channelType: row.channel_type,
        aclVersion: Number(row.acl_version),
        expiresAt: row.expires_at,
        effect: row.effect,
        ended: row.ended
      }
    },

    /** May this user see a channel's bans, mutes and log? */
    async mayModerate ({ userId, sid }: Actor, channelId: string): Promise<boolean> {
      const [row] = await prisma.$queryRaw<Array<{ may: boolean }>>`
        SELECT parley_can_moderate(u, c) AS may
        FROM parley_actor(${userId}::uuid, ${sid}::uuid) u, "Channel" c WHERE u.id IS NOT NULL AND c.id = ${channelId}::uuid`
      return row?.may ?? false
    },

    /** Bans in force, by user id, beginning after `after`. */
    async bans (channelId: string, after: string | undefined, limit: number): Promise<Ban[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Ban>>>`
        SELECT b."userId" AS user_id, u.name AS username, b.reason, b."bannedBy" AS banned_by, b."expiresAt" AS expires_at,
          b."createdAt" AS created_at
        FROM "ChannelBan" b JOIN "User" u ON u.id = b."userId"
        WHERE b."channelId" = ${channelId}::uuid AND b."userId" > ${after ?? NIL}::uuid
          AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp())
        ORDER BY b."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** Mutes in force, by user id, beginning after `after`. */
    async mutes (channelId: string, after: string | undefined, limit: number): Promise<Mute[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Mute>>>`
        SELECT m."userId" AS user_id, u.name AS username, m."mutedBy" AS muted_by, m."expiresAt" AS expires_at, m."createdAt" AS created_at
        FROM "ChannelMute" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid AND m."expiresAt" > clock_timestamp()
        ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    async moderators (channelId: string, after: string | undefined, limit: number): Promise<Moderator[]> {
      const rows = await prisma.$queryRaw<Array<Dated<Moderator>>>`
        SELECT m."userId" AS user_id, u.name AS username, m."createdAt" AS created_at
        FROM "ChannelModerator" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** Newest first, older than the entry `after`; of one channel, or of everything. */
    async log (channelId: string | null, after: string | undefined, limit: number): Promise<LogEntry[]> {
      const rows = await prisma.$queryRaw<Array<Dated<LogEntry>>>`
        SELECT l.id, l."actorId" AS actor_id, l.action, l."targetId" AS target_id, l."channelId" AS channel_id, l."channelName" AS channel,
          l.reason, l."expiresAt" AS expires_at, l."createdAt" AS created_at
        FROM "ModerationLog" l
        WHERE true ${channelId === null ? Prisma.empty : Prisma.sql`AND l."channelId" = ${channelId}::uuid`}
          ${after === undefined ? Prisma.empty : Prisma.sql`AND l.id < ${after}::uuid`}
        ORDER BY l.id DESC LIMIT ${limit}`
      return rows.map(withTimes)
    },

    /** `actor` null: the operator. @returns the memberships that the role no longer allows [P15]. */
    async setRole (actor: Actor | null, targetId: string, role: Role): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_set_role(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${role}::"Role", ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid)`)
    },

    /** `actor` null: the operator. @returns null, or why not. */
    async setDisabled (actor: Actor | null, targetId: string, disabled: boolean): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_set_disabled(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${disabled}, ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid) AS code`
      return row.code
    },

    /** An admin ends an account; what it wrote stays. */
    async erase ({ userId, sid }: Actor, targetId: string): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(${userId}::uuid, ${targetId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /** The same of the user's own account. */
    async eraseSelf ({ userId, sid }: Actor): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(NULL, ${userId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /** Judges and logs what an admin does without changing a row. @returns null, or why not. */
    async logAdminAct ({ userId, sid }: Actor, act: 'announce' | 'disconnect_user', targetId: string | null): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_log_admin_act(${userId}::uuid, ${sid}::uuid, ${act}, ${targetId}::uuid, ${uuidv7()}::uuid) AS code`
      return row.code
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
  ended: boolean
}

interface EndedRow { code: ErrorCode | null, channel_id: string, channel_name: string, acl_version: bigint }

/** A row as the driver gives it: times are dates. */
type Dated<T> = { [K in keyof T]: K extends 'created_at' ? Date : K extends 'expires_at' ? Date | null : T[K] }

function withTimes<T extends { created_at: string }> (row: Dated<T>): T {
  const { created_at: createdAt, expires_at: expiresAt } = row as { created_at: Date, expires_at?: Date | null }
  return {
    ...row,
    created_at: createdAt.toISOString(),
    ...expiresAt !== undefined && { expires_at: expiresAt?.toISOString() ?? null }
  } as unknown as T
}

function toEnded (rows: EndedRow[]): Refused | { code: null, ended: Ended[] } {
  if (rows[0] && rows[0].code !== null) return { code: rows[0].code }
  return {
    code: null,
    ended: rows.map(row => ({ channelId: row.channel_id, channel: row.channel_name, aclVersion: Number(row.acl_version) }))
  }
}

import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { Channel, Member, Person } from '../schemas/channel.ts'
import type { ChannelType } from '../schemas/common.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** A channel, and what one user is in it. */
export interface Standing { channel: Channel, isMember: boolean, mayRead: boolean }

/** A channel's state that live subscriptions are held against [P33]. */
export interface ChannelVersion { id: string, lastSeq: number, aclVersion: number }

export type ChannelStore = ReturnType<typeof createChannelStore>

export function createChannelStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** The channel, where this user may know of it [P19] and may act [P55], else null. */
    async find ({ userId, sid }: Actor, name: string): Promise<Standing | null> {
      const [row] = await prisma.$queryRaw<StandingRow[]>`
        SELECT ${channelColumns}, ${standing}
        FROM "Channel" c JOIN parley_actor(${userId}::uuid, ${sid}::uuid) u ON u.id IS NOT NULL
        WHERE c.name = ${name} AND parley_sees(u, c)`
      return row ? toStanding(row) : null
    },

    /** Channels this user may know of, by name, beginning after the name `after`. */
    async list (
      { userId, sid }: Actor, { type, after, limit }: { type?: ChannelType | undefined, after?: string | undefined, limit: number }
    ): Promise<Standing[]> {
      const rows = await prisma.$queryRaw<StandingRow[]>`
        SELECT ${channelColumns}, ${standing}
        FROM "Channel" c JOIN "User" u ON u.id = ${userId}::uuid AND u."disabledAt" IS NULL AND parley_login_is_live(u, ${sid}::uuid)
        WHERE c.name > ${after ?? ''} AND parley_sees(u, c)
          ${type ? Prisma.sql`AND c."channelType" = ${type}::"ChannelType"` : Prisma.empty}
        ORDER BY c.name LIMIT ${limit}`
      return rows.map(toStanding)
    },

    /** Members by id, beginning after the id `after`. */
    async members (channelId: string, after: string | undefined, limit: number): Promise<Member[]> {
      const rows = await prisma.$queryRaw<Array<{ user_id: string, username: string, joined_at: Date }>>`
        SELECT m."userId" AS user_id, u.name AS username, m."joinedAt" AS joined_at
        FROM "ChannelUser" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(row => ({ ...row, joined_at: row.joined_at.toISOString() }))
    },

    /** Which of these users are members. */
    async membersAmong (channelId: string, userIds: string[]): Promise<Set<string>> {
      const rows = await prisma.$queryRaw<Array<{ id: string }>>`
        SELECT "userId" AS id FROM "ChannelUser" WHERE "channelId" = ${channelId}::uuid AND "userId" = ANY (${userIds}::uuid[])`
      return new Set(rows.map(row => row.id))
    },

    /** Names of users, by id, in order of id. */
    async people (userIds: string[]): Promise<Person[]> {
      return await prisma.$queryRaw<Person[]>`
        SELECT id AS user_id, name AS username FROM "User" WHERE id = ANY (${userIds}::uuid[]) ORDER BY id`
    },

    /** The state of those of the channels that still exist. */
    async versions (channelIds: string[]): Promise<ChannelVersion[]> {
      const rows = await prisma.$queryRaw<Array<{ id: string, last_seq: bigint, acl_version: bigint }>>`
        SELECT id, "lastSeq" AS last_seq, "aclVersion" AS acl_version FROM "Channel" WHERE id = ANY (${channelIds}::uuid[])`
      return rows.map(row => ({ id: row.id, lastSeq: Number(row.last_seq), aclVersion: Number(row.acl_version) }))
    },

    /** @returns null, or why not. */
    async create ({ userId, sid }: Actor, id: string, name: string, type: ChannelType, maxChannels: number): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_create_channel(
          ${userId}::uuid, ${id}::uuid, ${name}, ${type}::"ChannelType", ${maxChannels}::int, login => ${sid}::uuid) AS code`
      return row.code
    },

    async setType ({ userId, sid }: Actor, name: string, type: ChannelType): Promise<Refused | Retyped> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string, acl_version: bigint, removed: string[] }]>`
        SELECT * FROM parley_set_channel_type(${userId}::uuid, ${name}, ${type}::"ChannelType", ${sid}::uuid)`
      return row.code === null
        ? { code: null, channelId: row.channel_id, aclVersion: Number(row.acl_version), removed: row.removed }
        : { code: row.code }
    },

    async delete ({ userId, sid }: Actor, name: string): Promise<Refused | { code: null, channelId: string }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string }]>`
        SELECT * FROM parley_delete_channel(${userId}::uuid, ${name}, ${sid}::uuid)`
      return row.code === null ? { code: null, channelId: row.channel_id } : { code: row.code }
    },

    /** Makes the room that exists after every start, unless it is there. */
    async ensure (id: string, name: string): Promise<void> {
      await prisma.$executeRaw`INSERT INTO "Channel" (id, name) VALUES (${id}::uuid, ${name}) ON CONFLICT (name) DO NOTHING`
    }
  })
}

export interface Refused { code: ErrorCode }

/** `removed`: whose membership the new type ended. */
export interface Retyped { code: null, channelId: string, aclVersion: number, removed: string[] }

/** Before every id. */
export const NIL = '00000000-0000-0000-0000-000000000000'

interface StandingRow {
  id: string
  name: string
  channel_type: ChannelType
  created_by: string | null
  created_at: Date
  user_count: number
  last_seq: bigint
  is_member: boolean
  may_read: boolean
}

const channelColumns = Prisma.sql`c.id, c.name, c."channelType"::text AS channel_type, c."createdBy" AS created_by,
  c."createdAt" AS created_at, c."userCount" AS user_count, c."lastSeq" AS last_seq`

const standing = Prisma.sql`EXISTS (SELECT FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id) AS is_member,
  parley_role_fits(u.role, c."channelType") AS may_read`

function toStanding (row: StandingRow): Standing {
  const channel = {
    id: row.id,
    name: row.name,
    channel_type: row.channel_type,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    user_count: row.user_count,
    last_seq: Number(row.last_seq)
  }
  return { channel, isMember: row.is_member, mayRead: row.may_read }
}

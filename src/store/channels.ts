import { Prisma } from '../generated/prisma/client.ts'
import type { ErrorCode } from '../errors.ts'
import type { Channel, ListedChannel, Member, PersonWithHandle, Settings, SettingsChange } from '../schemas/channel.ts'
import type { ChannelType } from '../schemas/common.ts'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import type { Position } from './reads.ts'
import { toUnread, unreadColumns, unreadTables, unwrittenTable, type UnreadRow } from './unread.ts'
import type { Actor } from './users.ts'

/** A channel, whether one user is its member, and whether the user's role may read it. */
export interface Standing { channel: Channel, isMember: boolean, mayRead: boolean }

/** A channel of a list, with what is unread [P44]. */
export interface Listed extends Standing { channel: ListedChannel }

export interface ListQuery { type?: ChannelType | undefined, after?: string | undefined, limit: number, unwritten?: Position[] }

/** A member with the position that the database has. */
export type StoredMember = Member & { read_seq: number }

/** A channel's counters, which show whether live subscriptions have missed an entry, the end of a membership or new settings [P33]. */
export interface ChannelVersion { id: string, lastSeq: number, aclVersion: number, settingsVersion: number }

/** A channel's settings, and the version that they are of. */
export interface ChannelSettings { id: string, version: number, settings: Settings }

export type ChannelStore = ReturnType<typeof createChannelStore>

export function createChannelStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return withStoreErrors({
    /** Finds a channel; null where it is hidden from the user [P19] or the user may no longer act [P55]. */
    async find ({ userId, sid }: Actor, channelName: string): Promise<Standing | null> {
      const [row] = await prisma.$queryRaw<StandingRow[]>`
        SELECT ${channelColumns}, ${standing}
        FROM "Channel" c JOIN parley_actor(${userId}::uuid, ${sid}::uuid) u ON u.id IS NOT NULL
        WHERE c.name = ${channelName} AND parley_sees(u, c)`
      return row ? toStanding(row) : null
    },

    /**
     * Lists the channels that this user may see, in order of name, after the name `after`. It selects what `parley_sees` allows [P19], but
     * by index. Of each type whose channels are all visible to the user it reads one page; it finds private and direct channels through the
     * user's memberships, invitations and own channels. Invitations of users whom the user blocks are not delivered [P48]. LATERAL … LIMIT
     * makes each lookup one index probe, whatever sizes the planner assumes. (A new embedded database does not know arrays of an enum until
     * it is opened again, so lists of types come as text.) `unwritten`: the user's positions that the database does not have yet.
     */
    async list (actor: Actor, { type, after, limit, unwritten = [] }: ListQuery): Promise<Listed[]> {
      const [open, hidden] = [openTypes, hiddenTypes].map(types => types.filter(name => type === undefined || name === type))
      const rows = await prisma.$queryRaw<ListedRow[]>`
        WITH ${actorTable(actor)},
        ${unwrittenTable(unwritten)},
        own AS MATERIALIZED (
          SELECT m."channelId" AS id FROM u JOIN "ChannelUser" m ON m."userId" = u.id
          UNION SELECT i."channelId" FROM u JOIN "ChannelInvite" i ON i."userId" = u.id AND NOT parley_blocks(u.id, i."invitedBy")
          UNION SELECT x.id FROM u JOIN "Channel" x ON x."createdBy" = u.id
        ), c AS (
          SELECT page.* FROM u
          JOIN unnest(${open}::text[]::"ChannelType"[]) AS t (type) ON t.type <> 'private' OR u.role = 'admin'
          CROSS JOIN LATERAL parley_list_channels(t.type, ${after ?? ''}, ${limit}::int) page
          UNION ALL
          SELECT x.* FROM u JOIN own ON u.email IS NOT NULL AND ${hidden!.length > 0}
          CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = own.id LIMIT 1) x
          WHERE x."channelType" = ANY (${hidden}::text[]::"ChannelType"[]) AND (x."channelType" = 'direct' OR u.role <> 'admin')
            AND x.name > ${after ?? ''}
        )
        SELECT ${channelColumns}, ${standing}, ${unreadColumns}
        FROM (SELECT * FROM c ORDER BY c.name LIMIT ${limit}) c CROSS JOIN u ${unreadTables} ORDER BY c.name`
      return rows.map(toListed)
    },

    /** Lists members in order of id, after the id `after`. */
    async members (channelId: string, after: string | undefined, limit: number): Promise<StoredMember[]> {
      const rows = await prisma.$queryRaw<Array<PersonWithHandle & { joined_at: Date, read_seq: bigint }>>`
        SELECT m."userId" AS user_id, u.name AS username, u.handle, m."joinedAt" AS joined_at,
          coalesce(m."readSeq", parley_read_start(m."channelId")) AS read_seq
        FROM "ChannelUser" m JOIN "User" u ON u.id = m."userId"
        WHERE m."channelId" = ${channelId}::uuid AND m."userId" > ${after ?? NIL}::uuid ORDER BY m."userId" LIMIT ${limit}`
      return rows.map(row => ({ ...row, joined_at: row.joined_at.toISOString(), read_seq: Number(row.read_seq) }))
    },

    /** Returns those of the given users who are members. */
    async membersAmong (channelId: string, userIds: string[]): Promise<Set<string>> {
      const rows = await prisma.$queryRaw<Array<{ id: string }>>`
        SELECT "userId" AS id FROM "ChannelUser" WHERE "channelId" = ${channelId}::uuid AND "userId" = ANY (${userIds}::uuid[])`
      return new Set(rows.map(row => row.id))
    },

    /**
     * Returns for how many milliseconds those of the given users who are muted are still muted. In a direct channel nobody is muted. But
     * the other user may block them [P48], which counts as a mute without end.
     */
    async mutesAmong (channelId: string, userIds: string[]): Promise<Map<string, number>> {
      const rows = await prisma.$queryRaw<Array<{ id: string, ms: bigint }>>`
        SELECT "userId" AS id, ceil(extract(epoch FROM "expiresAt" - clock_timestamp()) * 1000)::int8 AS ms FROM "ChannelMute"
        WHERE "channelId" = ${channelId}::uuid AND "userId" = ANY (${userIds}::uuid[]) AND "expiresAt" > clock_timestamp()
        UNION ALL SELECT p."userId", ${BLOCKED_MS} FROM "DirectPeer" p
        JOIN "UserBlock" b ON b."userId" = p."peerId" AND b."blockedId" = p."userId"
        WHERE p."channelId" = ${channelId}::uuid AND p."userId" = ANY (${userIds}::uuid[])`
      return new Map(rows.map(({ id, ms }) => [id, Number(ms)]))
    },

    /** Finds the names and handles of users, in order of id. */
    async people (userIds: string[]): Promise<PersonWithHandle[]> {
      return await prisma.$queryRaw<PersonWithHandle[]>`
        SELECT id AS user_id, name AS username, handle FROM "User" WHERE id = ANY (${userIds}::uuid[]) ORDER BY id`
    },

    /** Reads the counters of the given channels; channels that no longer exist are left out. */
    async versions (channelIds: string[]): Promise<ChannelVersion[]> {
      // An idle instance spends most of its time here if it follows very many channels, so the statement does without Prisma.
      const { text, values } = Prisma.sql`
        SELECT c.id, c."lastSeq" AS last_seq, c."aclVersion" AS acl_version, c."settingsVersion" AS settings_version
        FROM ${givenChannels(channelIds)}`
      const rows = await query<VersionRow>(text, values)
      return rows.map(row => ({
        id: row.id,
        lastSeq: Number(row.last_seq),
        aclVersion: Number(row.acl_version),
        settingsVersion: row.settings_version
      }))
    },

    /** Reads the settings of the given channels [P50]; channels that no longer exist are left out. */
    async settings (channelIds: string[]): Promise<ChannelSettings[]> {
      const rows = await prisma.$queryRaw<Array<{ id: string, version: number } & Settings>>`
        SELECT c.id, c."settingsVersion" AS version, ${settingsColumns} FROM ${givenChannels(channelIds)}`
      return rows.map(({ id, version, ...settings }) => ({ id, version, settings }))
    },

    /** @returns null, or the refusal. */
    async create (
      { userId, sid }: Actor, id: string, channelName: string, type: ChannelType, settings: SettingsChange, rules: CreationRules
    ): Promise<Refused | null> {
      const { maxChannels, maxCreated, createdPerMinute } = rules
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, retry_after_ms: bigint | null }]>`
        SELECT r.code, CASE WHEN r.code = 'rate_limited' THEN
          (SELECT parley_creation_wait(u, ${createdPerMinute}::int) FROM "User" u WHERE u.id = ${userId}::uuid) END AS retry_after_ms
        FROM parley_create_channel(${userId}::uuid, ${id}::uuid, ${channelName}, ${type}::"ChannelType", ${maxChannels}::int,
          ${maxCreated}::int, ${createdPerMinute}::int, ${sid}::uuid, ${JSON.stringify(settings)}::json) AS r (code)`
      return row.code === null ? null : refused(row.code, row.retry_after_ms)
    },

    /** Changes those of a channel's settings that are not undefined: all of them, or none [P50]. */
    async update ({ userId, sid }: Actor, channelName: string, changes: SettingsChange): Promise<Refused | Updated> {
      const [row] = await prisma.$queryRaw<[UpdatedRow]>`
        SELECT * FROM parley_update_channel(${userId}::uuid, ${channelName}, ${JSON.stringify(changes)}::json, ${sid}::uuid)`
      if (row.code !== null) return { code: row.code }
      return {
        code: null, channelId: row.channel_id, aclVersion: Number(row.acl_version), isChanged: row.changed, removed: row.removed
      }
    },

    async delete ({ userId, sid }: Actor, channelName: string): Promise<Refused | { code: null, channelId: string }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string }]>`
        SELECT * FROM parley_delete_channel(${userId}::uuid, ${channelName}, ${sid}::uuid)`
      return row.code === null ? { code: null, channelId: row.channel_id } : { code: row.code }
    },

    /** Creates the default room at the start of the server, unless it exists. */
    async ensure (id: string, channelName: string): Promise<void> {
      await prisma.$executeRaw`INSERT INTO "Channel" (id, name) VALUES (${id}::uuid, ${channelName}) ON CONFLICT (name) DO NOTHING`
    }
  })
}

type Int8 = bigint | number | string

interface VersionRow { id: string, last_seq: Int8, acl_version: Int8, settings_version: number }

/** A refused request. `retryAfterMs`: milliseconds until the same request may succeed, where that is known. */
export interface Refused { code: ErrorCode, retryAfterMs?: number }

export function refused (code: ErrorCode, retryAfterMs: bigint | number | string | null): Refused {
  return retryAfterMs === null ? { code } : { code, retryAfterMs: Number(retryAfterMs) }
}

/** Limits for a user who creates a channel [P21] [P58]. 0 means no limit. */
export interface CreationRules { maxChannels: number, maxCreated: number, createdPerMinute: number }

/**
 * A channel after `update`. `isChanged`: a setting has another value than before. `removed`: ids of the users whose membership a new type
 * ended; null where no type was given.
 */
export interface Updated { code: null, channelId: string, aclVersion: number, isChanged: boolean, removed: string[] | null }

interface UpdatedRow { code: ErrorCode | null, channel_id: string, acl_version: bigint, changed: boolean, removed: string[] | null }

/** The lowest UUID; every other id sorts after it. */
export const NIL = '00000000-0000-0000-0000-000000000000'

/** The time without end for which a blocked user counts as muted in a direct channel, in milliseconds. */
export const BLOCKED_MS = 1_000_000_000_000

/** Types whose channels are visible to everyone, or at least to all admins. */
const openTypes: ChannelType[] = ['public', 'private', 'admin', 'moderator']
/** Types whose channels are not visible to everyone. */
const hiddenTypes: ChannelType[] = ['private', 'direct']

export type ListedRow = StandingRow & UnreadRow

export interface ChannelRow extends Settings {
  id: string
  name: string
  created_by: string | null
  created_at: Date
  user_count: number
  last_seq: bigint
  peer: PersonWithHandle | null
}

interface StandingRow extends ChannelRow { is_member: boolean, may_read: boolean }

const settingsColumns = Prisma.sql`c."channelType"::text AS channel_type, c.topic, c."slowMode" AS slow_mode, c.retention`
export const channelColumns = Prisma.sql`c.id, c.name, ${settingsColumns}, c."createdBy" AS created_by, c."createdAt" AS created_at,
  c."userCount" AS user_count, c."lastSeq" AS last_seq`

/**
 * The channels with these ids, as a table `c`. A condition `id = ANY (…)` with a thousand ids would make the planner read the whole table,
 * again for each of the queries that an instance needs to look at all of its channels.
 */
function givenChannels (ids: string[]) {
  return Prisma.sql`unnest(${ids}::uuid[]) AS given (id) CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = given.id LIMIT 1) c`
}

/** The row of the acting user, as a table `u` for a WITH clause. It is empty if the user may no longer act [P55]. */
export function actorTable ({ userId, sid }: Actor) {
  return Prisma.sql`u AS MATERIALIZED (
    SELECT * FROM "User" o
    WHERE o.id = ${userId}::uuid AND o."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(o, ${sid}::uuid)))`
}

/** LIMIT 1 instead of EXISTS, because for a list of channels the planner may answer EXISTS by reading all memberships. */
export const standing = Prisma.sql`
  (SELECT true FROM "ChannelUser" m WHERE m."channelId" = c.id AND m."userId" = u.id LIMIT 1) IS NOT NULL AS is_member,
  CASE WHEN c."channelType" = 'direct' THEN parley_peer(c.id, u.id) END AS peer,
  parley_role_fits(u.role, c."channelType") AS may_read`

function toStanding (row: StandingRow): Standing {
  return { channel: toChannel(row), isMember: row.is_member, mayRead: row.may_read }
}

/** A channel from its `channelColumns`, and its `peer` where it is a direct one. */
export function toChannel (row: ChannelRow): Channel {
  return {
    id: row.id,
    name: row.name,
    channel_type: row.channel_type,
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    user_count: row.user_count,
    last_seq: Number(row.last_seq),
    topic: row.topic,
    slow_mode: row.slow_mode,
    retention: row.retention,
    ...row.peer && { peer: row.peer }
  }
}

export function toListed (row: ListedRow): Listed {
  const { channel, ...rest } = toStanding(row)
  return { ...rest, channel: { ...channel, ...toUnread(row) } }
}

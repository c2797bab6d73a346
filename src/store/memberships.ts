import type { ErrorCode, KnownBan } from '../errors.ts'
import type { PersonWithHandle, Place, Settings } from '../schemas/channel.ts'
import type { Role } from '../schemas/common.ts'
import { BLOCKED_MS, refused, type CreationRules, type Refused } from './channels.ts'
import type { Database } from './client.ts'
import { isLockTimeout, withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

export interface JoinRequest extends Actor {
  channelName: string
  /** Id for the channel if the join creates it. */
  newId: string
}

export interface JoinRules extends CreationRules { maxUsers: number, defaultRoom: string, createMissing: boolean }

/** The channel's state at the moment of the join, and the place that the user has in it. */
export interface Joined {
  code: null
  channelId: string
  lastSeq: number
  /** The id of the entry at `lastSeq`, null where there is none [P37]. */
  lastId: string | null
  aclVersion: number
  settingsVersion: number
  settings: Settings
  userCount: number
  place: Place
  /** True if this join began the membership. */
  isNew: boolean
  /** The other user of a direct channel [P47]. */
  peer: PersonWithHandle | null
  /** Milliseconds for which the user is still muted, or blocked in a direct channel [P48]; 0: they are not. */
  mutedFor: number
}

/** `ended` is false where the user was not a member. */
export interface Left { code: null, channelId: string, aclVersion: number, ended: boolean }

/** `batch.u` is the user of a row. Nobody is muted in a direct channel, but its other user may block them [P48]. */
const JOIN = `
  SELECT j.*, CASE WHEN j.channel_type = 'direct' THEN CASE WHEN parley_is_blocked(j.channel_id, batch.u) THEN ${BLOCKED_MS} END
      ELSE ceil(extract(epoch FROM j.muted_until - clock_timestamp()) * 1000)::int8 END AS muted_for,
    CASE WHEN j.channel_type = 'direct' THEN parley_peer(j.channel_id, batch.u) END AS peer
  FROM parley_join($1::json, $2::int, $3::int, $4, $5, $6::int, $7::int) j
  CROSS JOIN LATERAL (SELECT ($1::json -> (j.ord::int - 1) ->> 'u')::uuid AS u) batch`

export type MembershipStore = ReturnType<typeof createMembershipStore>

export function createMembershipStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  async function joinTogether (batch: JoinRequest[], rules: JoinRules): Promise<Array<Refused | Joined>> {
    const { maxChannels, maxUsers, defaultRoom, createMissing, maxCreated, createdPerMinute } = rules
    const json = JSON.stringify(batch.map(({ userId, sid, channelName, newId }) => ({ u: userId, s: sid, n: channelName, i: newId })))
    const rows = await query<JoinRow>(JOIN, [json, maxChannels, maxUsers, defaultRoom, createMissing, maxCreated, createdPerMinute])
    const outcomes: Array<Refused | Joined> = []
    for (const row of rows) outcomes[Number(row.ord) - 1] = row.code === null ? toJoined(row) : refused(row.code, row.retry_after_ms)
    return outcomes
  }

  /** Runs each join in its own statement, so that a locked channel or user delays no other join. */
  async function joinApart (batch: JoinRequest[], rules: JoinRules): Promise<Array<Refused | Joined>> {
    return Promise.all(batch.map(async request => {
      try {
        return (await joinTogether([request], rules))[0]!
      } catch (error) {
        if (isLockTimeout(error)) return { code: 'unavailable' as const }
        throw error
      }
    }))
  }

  return withStoreErrors({
    /** Makes the users of a batch members of their channels, in one round trip [P18]–[P22]. @returns one outcome per request, in order. */
    async join (batch: JoinRequest[], rules: JoinRules): Promise<Array<Refused | Joined>> {
      try {
        return await joinTogether(batch, rules)
      } catch (error) {
        if (isLockTimeout(error) && batch.length > 1) return joinApart(batch, rules)
        throw error
      }
    },

    /** Returns a user's ban in force. It has its reason only if they were told of the ban [P57]. */
    async ban (userId: string, channelName: string): Promise<KnownBan | undefined> {
      const [row] = await prisma.$queryRaw<Array<{ reason: string | null, expires_at: Date | null }>>`
        SELECT CASE WHEN b.told > 0 THEN b.reason END AS reason, b."expiresAt" AS expires_at
        FROM "ChannelBan" b JOIN "Channel" c ON c.id = b."channelId"
        WHERE c.name = ${channelName} AND b."userId" = ${userId}::uuid AND (b."expiresAt" IS NULL OR b."expiresAt" > clock_timestamp())`
      return row && { reason: row.reason, expires_at: row.expires_at?.toISOString() ?? null }
    },

    /** Judges whether a user may send a signal to a channel without a connection [P42]. @returns the channel's id, or the refusal. */
    async judgeSignal ({ userId, sid }: Actor, channelName: string): Promise<Refused | { code: null, channelId: string }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string, retry_after_ms: bigint | null }]>`
        SELECT * FROM parley_judge_signal(${userId}::uuid, ${channelName}, ${sid}::uuid)`
      return row.code === null ? { code: null, channelId: row.channel_id } : refused(row.code, row.retry_after_ms)
    },

    /** Ends a membership [P20]. */
    async leave ({ userId, sid }: Actor, channelName: string): Promise<Refused | Left> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string, acl_version: bigint, ended: boolean }]>`
        SELECT * FROM parley_leave(${userId}::uuid, ${channelName}, ${sid}::uuid)`
      return row.code === null
        ? { code: null, channelId: row.channel_id, aclVersion: Number(row.acl_version), ended: row.ended }
        : { code: row.code }
    }
  })
}

interface JoinRow extends Settings {
  ord: bigint | number | string
  code: ErrorCode | null
  channel_id: string
  last_seq: bigint | number | string
  last_id: string | null
  acl_version: bigint | number | string
  retry_after_ms: bigint | number | string | null
  settings_version: number
  user_count: number
  role: Role
  member_since: Date
  is_moderator: boolean
  muted_until: Date | null
  muted_for: bigint | number | string | null
  peer: PersonWithHandle | null
  read_seq: bigint | number | string
  is_new: boolean
}

function toJoined (row: JoinRow): Joined {
  return {
    code: null,
    channelId: row.channel_id,
    lastSeq: Number(row.last_seq),
    lastId: row.last_id,
    aclVersion: Number(row.acl_version),
    settingsVersion: row.settings_version,
    settings: { channel_type: row.channel_type, topic: row.topic, slow_mode: row.slow_mode, retention: row.retention },
    userCount: row.user_count,
    place: {
      role: row.role,
      is_member_since: row.member_since.toISOString(),
      is_moderator: row.is_moderator,
      muted_until: row.muted_until?.toISOString() ?? null,
      read_seq: Number(row.read_seq)
    },
    peer: row.peer,
    isNew: row.is_new,
    mutedFor: Number(row.muted_for ?? 0)
  }
}

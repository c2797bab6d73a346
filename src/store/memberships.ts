import type { ErrorCode } from '../errors.ts'
import type { ChannelType } from '../schemas/common.ts'
import type { Refused } from './channels.ts'
import type { Database } from './client.ts'
import { isLockTimeout, withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

export interface JoinRequest extends Actor {
  channel: string
  /** Id of the channel if it is to be made. */
  newId: string
}

export interface JoinRules { maxChannels: number, maxUsers: number, defaultRoom: string, createMissing: boolean }

/** The channel as it was when the user was its member. */
export interface Joined { code: null, channelId: string, channelType: ChannelType, lastSeq: number, aclVersion: number }

/** `ended` is false where there was no membership. */
export interface Left { code: null, channelId: string, aclVersion: number, ended: boolean }

export type MembershipStore = ReturnType<typeof createMembershipStore>

export function createMembershipStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  async function joinTogether (batch: JoinRequest[], rules: JoinRules): Promise<Array<Refused | Joined>> {
    const { maxChannels, maxUsers, defaultRoom, createMissing } = rules
    const json = JSON.stringify(batch.map(({ userId, sid, channel, newId }) => ({ u: userId, s: sid, n: channel, i: newId })))
    const rows = await query<JoinRow>('SELECT * FROM parley_join($1::json, $2::int, $3::int, $4, $5)',
      [json, maxChannels, maxUsers, defaultRoom, createMissing])
    const outcomes: Array<Refused | Joined> = []
    for (const row of rows) outcomes[Number(row.ord) - 1] = row.code === null ? toJoined(row) : { code: row.code }
    return outcomes
  }

  /** One by one, so that a channel or user whose lock is held holds up no other. */
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
    /** Makes users members, a batch in one round trip [P18]–[P22]. @returns one outcome per request, in order. */
    async join (batch: JoinRequest[], rules: JoinRules): Promise<Array<Refused | Joined>> {
      try {
        return await joinTogether(batch, rules)
      } catch (error) {
        if (isLockTimeout(error) && batch.length > 1) return joinApart(batch, rules)
        throw error
      }
    },

    /** Ends a membership [P20]. */
    async leave ({ userId, sid }: Actor, channel: string): Promise<Refused | Left> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string, acl_version: bigint, ended: boolean }]>`
        SELECT * FROM parley_leave(${userId}::uuid, ${channel}, ${sid}::uuid)`
      return row.code === null
        ? { code: null, channelId: row.channel_id, aclVersion: Number(row.acl_version), ended: row.ended }
        : { code: row.code }
    },

    /** Ends a guest with his connection [P16]. */
    async endGuest (userId: string): Promise<void> {
      await prisma.$queryRaw`SELECT 1 FROM parley_end_guest(${userId}::uuid)`
    }
  })
}

interface JoinRow {
  ord: bigint | number | string
  code: ErrorCode | null
  channel_id: string
  channel_type: ChannelType
  last_seq: bigint | number | string
  acl_version: bigint | number | string
}

function toJoined (row: JoinRow): Joined {
  return {
    code: null,
    channelId: row.channel_id,
    channelType: row.channel_type,
    lastSeq: Number(row.last_seq),
    aclVersion: Number(row.acl_version)
  }
}

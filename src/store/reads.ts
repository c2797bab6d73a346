import type { ErrorCode } from '../errors.ts'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** The `seq` up to which a member has read a channel [P43]. */
export interface Position { channelId: string, userId: string, seq: number }

/**
 * What became of a mark: the member's position before and after it, and the number of the channel's members. `before` is null for a user
 * who is no member.
 */
export interface Marked { before: number | null, reached: number, userCount: number }

export type ReadStore = ReturnType<typeof createReadStore>

export function createReadStore ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return withStoreErrors({
    /** Judges whether a user may mark a channel as read. @returns the channel's id and the `seq` of its latest entry, or the refusal. */
    async judge (
      { userId, sid }: Actor, channelName: string
    ): Promise<{ code: ErrorCode } | { code: null, channelId: string, lastSeq: number }> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, channel_id: string, last_seq: bigint }]>`
        SELECT * FROM parley_judge_read(${userId}::uuid, ${channelName}, ${sid}::uuid)`
      return row.code === null ? { code: null, channelId: row.channel_id, lastSeq: Number(row.last_seq) } : { code: row.code }
    },

    /**
     * Raises positions, in one statement, no two of the same user and channel. A lower position than the stored one changes nothing, and
     * one beyond the channel's latest entry counts as that entry.
     * @returns the outcomes in order; undefined for a member whose row somebody else has locked: then nothing was written.
     */
    async raise (positions: Position[]): Promise<Array<Marked | undefined>> {
      const json = JSON.stringify(positions.map(({ channelId, userId, seq }) => ({ c: channelId, u: userId, q: seq })))
      const rows = await query<MarkedRow>('SELECT * FROM parley_mark_read($1::json)', [json])
      const outcomes = Array<Marked | undefined>(positions.length).fill(undefined)
      for (const { ord, before, reached, user_count: userCount } of rows) {
        outcomes[Number(ord) - 1] = { before: before === null ? null : Number(before), reached: Number(reached), userCount: userCount ?? 0 }
      }
      return outcomes
    }
  })
}

interface MarkedRow {
  ord: bigint | number | string
  before: bigint | number | string | null
  reached: bigint | number | string | null
  user_count: number | null
}

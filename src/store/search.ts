import { AppError, type ErrorCode } from '../errors.ts'
import type { Message } from '../schemas/message.ts'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import { messageTables, shownColumns, toMessage, type EntryRow } from './entries.ts'
import type { Actor } from './users.ts'

export interface Search {
  query: string
  /** The name of the channel to search in; undefined: all. */
  channel: string | undefined
  /** The place below which to search; undefined: from the newest message. */
  below: number | undefined
  limit: number
}

/** Messages with their places, newest first. `rest`: where the search goes on if its time was over before the end. */
export interface Found { messages: Array<{ place: number, message: Message }>, rest: number | undefined }

export type SearchStore = ReturnType<typeof createSearchStore>

/** Finds messages by their words, and keeps the index of words up to date [P70]. */
export function createSearchStore ({ prisma, kind }: Pick<Database, 'prisma' | 'kind'>) {
  const budget = BUDGET[kind]

  return withStoreErrors({
    /**
     * Searches the channels that the actor is a member of; `asAdmin`: all channels that admins see.
     * @throws AppError with the reason why the actor may not.
     */
    async find ({ userId, sid }: Actor, asAdmin: boolean, { query, channel, below, limit }: Search): Promise<Found> {
      // `LATERAL … LIMIT 1` makes the planner use one index probe per row, whatever number of rows it assumes.
      const rows = await prisma.$queryRaw<FoundRow[]>`
        SELECT f.code, f.place, found.*
        FROM parley_search(${userId}::uuid, ${sid}::uuid, ${asAdmin}, ${channel ?? null}, ${query},
          ${below ?? Number.MAX_SAFE_INTEGER}::bigint, ${limit}::int, ${budget}::int) f
        LEFT JOIN LATERAL (
          SELECT ${shownColumns} FROM ${messageTables} WHERE m."channelId" = f.channel_id AND m.seq = f.seq LIMIT 1) found ON true
        ORDER BY f.place DESC, f.channel_id NULLS LAST`
      const [first] = rows
      if (first && first.code !== null) throw new AppError(first.code)
      const last = rows.at(-1)
      return {
        messages: rows.filter(row => row.id !== null).map(row => ({ place: Number(row.place), message: toMessage(row) })),
        rest: last?.id === null ? Number(last.place) : undefined
      }
    },

    /** Adds up to about `most` entries to the index. @returns how many entries it looked at; 0 where there is nothing to do. */
    async index (most: number): Promise<number> {
      const [row] = await prisma.$queryRaw<[{ looked: number }]>`SELECT parley_index_messages(${most}::int) AS looked`
      return row.looked
    }
  })
}

/** Milliseconds after which a search ends with what it has found. The embedded database runs on the server's own thread. */
const BUDGET = { postgresql: 150, pglite: 100 }

type FoundRow = EntryRow & { code: ErrorCode | null, place: bigint }

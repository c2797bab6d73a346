import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'

/** Channels of one user that are looked at, at most. */
const MAX_CHANNELS = 1000

/** A channel that a user is a member of. */
export interface OwnChannel { id: string, name: string }

/** What a member may hear of a channel: the `seq` of its latest entry and the time of its newest message. */
export interface Heard { lastSeq: number, lastMessageAt: Date | null }

export type ActivityStore = ReturnType<typeof createActivityStore>

export function createActivityStore ({ query }: Pick<Database, 'query'>) {
  return withStoreErrors({
    /** Lists the channels that each of these users is a member of, in the order of the users. */
    async channelsOf (userIds: string[]): Promise<OwnChannel[][]> {
      const rows = await query<OwnChannel & { place: bigint | number | string }>(`
        SELECT given.place, c.id, c.name FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, place)
        CROSS JOIN LATERAL (SELECT m."channelId" AS id FROM "ChannelUser" m WHERE m."userId" = given.id LIMIT ${MAX_CHANNELS}) m
        CROSS JOIN LATERAL (SELECT x.id, x.name FROM "Channel" x WHERE x.id = m.id LIMIT 1) c`, [userIds])
      const found: OwnChannel[][] = userIds.map(() => [])
      for (const { place, id, name } of rows) found[Number(place) - 1]!.push({ id, name })
      return found
    },

    /** Reads what the user at each place of the second list may hear of the channel at that place of the first; null: nothing any more. */
    async heardBy (channelIds: string[], userIds: string[]): Promise<Array<Heard | null>> {
      const rows = await query<{ place: bigint | number | string, last_seq: bigint | number | string, last_message_at: Date | null }>(`
        SELECT given.place, c."lastSeq" AS last_seq, parley_last_message_at(c.id, c."lastMessageAt") AS last_message_at
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS given (c, u, place)
        CROSS JOIN LATERAL (SELECT FROM "ChannelUser" m WHERE m."channelId" = given.c AND m."userId" = given.u LIMIT 1) m
        CROSS JOIN LATERAL (SELECT x.role FROM "User" x WHERE x.id = given.u AND x."disabledAt" IS NULL LIMIT 1) u
        CROSS JOIN LATERAL (SELECT * FROM "Channel" x WHERE x.id = given.c LIMIT 1) c
        WHERE parley_role_fits(u.role, c."channelType")`, [channelIds, userIds])
      const found = Array<Heard | null>(channelIds.length).fill(null)
      for (const { place, last_seq: lastSeq, last_message_at: lastMessageAt } of rows) {
        found[Number(place) - 1] = { lastSeq: Number(lastSeq), lastMessageAt }
      }
      return found
    }
  })
}

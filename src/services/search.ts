import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { Message } from '../schemas/message.ts'
import { MAX_QUERY, type SearchQuery } from '../schemas/search.ts'
import type { SearchStore } from '../store/search.ts'
import type { Actor } from '../store/users.ts'
import { createFairQueue } from './fair-queue.ts'
import { DEFAULT_LIMIT, readCursor, toCursor } from './paging.ts'
import { longerThan } from './text.ts'
import { countOne, MINUTE_MS } from './window-limit.ts'

/** Searches at a time, so that most connections to the database stay free for other work. Users take turns. */
const QUEUE = { concurrency: 2, maxWaiting: 200, maxWaitingOfOne: 4 }

export type MessageSearch = ReturnType<typeof createSearch>

/** Searches the texts of messages [P70]. `perMinute`: searches of one user, on all instances together; 0 is no limit. */
export function createSearch ({ store, counters, perMinute }: {
  store: Pick<SearchStore, 'find'>, counters: Pick<Counters, 'add'>, perMinute: number
}) {
  const inTurn = createFairQueue(QUEUE)

  async function find (actor: Actor, asAdmin: boolean, { query, channel, cursor, limit = DEFAULT_LIMIT }: SearchQuery) {
    if (longerThan(query, MAX_QUERY)) throw new AppError('invalid_request', { detail: `query: longer than ${MAX_QUERY} characters` })
    const after = readCursor(cursor, 'place')
    const below = after === undefined ? undefined : Number(after)
    await countOne(counters, `searches:${actor.userId}`, perMinute, MINUTE_MS)
    // One message more than the page may have shows whether there is a next page.
    const { messages, rest } = await inTurn(actor.userId, () => store.find(actor, asAdmin, { query, channel, below, limit: limit + 1 }))
    const page = messages.slice(0, limit)
    const next = messages.length > limit ? page.at(-1)!.place : rest
    return { messages: page.map(({ message }) => message), next_cursor: next === undefined ? null : toCursor(String(next)) }
  }

  return {
    /** Searches the channels that the user is a member of and may read. @throws AppError */
    mine: (actor: Actor, query: SearchQuery): Promise<FoundPage> => find(actor, false, query),
    /** Searches all channels that admins see. @throws AppError `not_authorized` for other users. */
    all: (actor: Actor, query: SearchQuery): Promise<FoundPage> => find(actor, true, query)
  }
}

/** Newest first. `next_cursor` is null where the search is at its end; a page may have fewer messages, or none, without being the last. */
interface FoundPage { messages: Message[], next_cursor: string | null }

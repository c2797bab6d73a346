import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { Presence } from '../presence/presence.ts'
import type { DirectoryQuery, DirectoryUser } from '../schemas/directory.ts'
import type { DirectoryStore, Found, Listed } from '../store/directory.ts'
import { readPage, type PageOrder } from './paging.ts'
import { countOne, MINUTE_MS } from './window-limit.ts'

export interface DirectoryDeps {
  store: DirectoryStore
  presence: Pick<Presence, 'connected'>
  counters: Pick<Counters, 'add'>
  /** Requests that one user may make a minute, at all instances together. 0 means no limit. */
  requestsPerMinute: number
}

export type Directory = ReturnType<typeof createDirectory>

/** Lets users find each other by name and handle [P46]. Guests, disabled and erased accounts are not found. */
export function createDirectory ({ store, presence, counters, requestsPerMinute }: DirectoryDeps) {
  /** @throws AppError `rate_limited`. */
  const admit = (userId: string): Promise<void> => countOne(counters, `directory:${userId}`, requestsPerMinute, MINUTE_MS)

  /** Adds whether each user is online; while Redis is away, on this instance only. */
  async function show (users: Listed[]): Promise<DirectoryUser[]> {
    const connected = await presence.connected(users.map(({ id }) => id))
    return users.map(({ id, name, handle, createdAt }) =>
      ({ id, name, handle, created_at: createdAt.toISOString(), online: connected.has(id) }))
  }

  return {
    /**
     * A page of the users whose name or handle begins with `query`: first those found by name, in order of the name, then the others.
     * @throws AppError `rate_limited`, `invalid_request`.
     */
    async search (userId: string, { query = '', ...place }: DirectoryQuery) {
      await admit(userId)
      const { items, ...rest } = await readPage(place, byMatch, (after, most) =>
        store.search(query, after === undefined ? undefined : placeOf(after), most))
      return { users: await show(items), ...rest }
    },

    /** Finds one user. @throws AppError `rate_limited`, `user_not_found`. */
    async find (userId: string, id: string): Promise<DirectoryUser> {
      await admit(userId)
      const found = await store.find(id)
      if (!found) throw new AppError('user_not_found')
      const [user] = await show([found])
      return user!
    }
  }
}

const byMatch: PageOrder<Found> = { shape: 'match', key: ({ part, id, key }) => `${part} ${id} ${key}` }

/** Reads the key of a cursor, whose format `byMatch` has made and `readPage` has checked. */
function placeOf (cursor: string): Pick<Found, 'part' | 'key' | 'id'> {
  const [part, id] = cursor.split(' ', 2) as [Found['part'], string]
  return { part, id, key: cursor.slice(`${part} ${id} `.length) }
}

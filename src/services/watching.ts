import { AppError } from '../errors.ts'
import type { Actor } from '../store/users.ts'
import type { WatchingStore } from '../store/watching.ts'

export type Watching = ReturnType<typeof createWatching>

/** What admins may do with the live state of instances. The database says who is an admin [P55]. */
export function createWatching (store: WatchingStore) {
  return {
    /** @throws AppError `not_authorized`, `authentication_failed`. */
    async admit (actor: Actor): Promise<void> {
      const code = await store.judge(actor)
      if (code !== null) throw new AppError(code)
    },

    /** Logs that an admin closes this connection, which the caller then does. @throws AppError as `admit`. */
    async closing (actor: Actor, { id, userId = null }: { id: string, userId: string | undefined | null }): Promise<void> {
      const code = await store.logClose(actor, id, userId)
      if (code !== null) throw new AppError(code)
    },

    /** Logs that an admin begins to trace a channel. @returns its id. @throws AppError `channel_not_found`, and as `admit`. */
    async trace (actor: Actor, channel: string): Promise<string> {
      const outcome = await store.logTrace(actor, channel)
      if (outcome.code !== null) throw new AppError(outcome.code)
      return outcome.channelId
    }
  }
}

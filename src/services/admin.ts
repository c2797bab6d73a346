import type { Static } from '@sinclair/typebox'
import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'
import type { PageQuery, Role } from '../schemas/common.ts'
import type { ManagedUser, UserChange } from '../schemas/moderation.ts'
import type { ModerationStore } from '../store/moderation.ts'
import type { ManagedAccount, Users } from '../store/users.ts'
import { toUser } from './auth.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'

export type Admin = ReturnType<typeof createAdmin>

/**
 * What only admins do: accounts, announcements, the whole moderation log. Nobody changes or erases his own account here.
 * `maxText`: bytes that an announcement's text may take as JSON.
 */
export function createAdmin ({ users, store, events, maxText = Infinity }: {
  users: Users, store: ModerationStore, events: Events, maxText?: number
}) {
  async function find (id: string): Promise<ManagedUser> {
    const account = await users.findManaged(id)
    if (!account) throw new AppError('user_not_found')
    return toManaged(account)
  }

  async function setRole (actorId: string | null, id: string, role: Role): Promise<void> {
    const outcome = await store.setRole(actorId, id, role)
    if (outcome.code !== null) throw new AppError(outcome.code)
    events.userChanged(id, { role })
    const timestamp = new Date().toISOString()
    for (const { channelId, channel, aclVersion } of outcome.ended) {
      events.userNotified(id, { type: 'kicked_from_channel', channel, timestamp })
      events.membershipsEnded(channelId, [id], aclVersion)
    }
  }

  async function setDisabled (actorId: string | null, id: string, disabled: boolean): Promise<void> {
    const code = await store.setDisabled(actorId, id, disabled)
    if (code) throw new AppError(code)
    if (disabled) events.userDisconnected(id)
  }

  return {
    /** Accounts by id, those whose email or name contains `query`. */
    async users ({ query, ...place }: PageQuery & { query?: string | undefined }) {
      const { items, ...rest } = await readPage(place, byId, (after, limit) => users.search({ query, after, limit }))
      return { users: items.map(toManaged), ...rest }
    },

    /**
     * Changes role, disables or enables; `actorId` null: the operator at the command line.
     * @throws AppError `user_not_found`, `not_authorized` for one's own account.
     */
    async change (actorId: string | null, id: string, { role, disabled }: Static<typeof UserChange>): Promise<ManagedUser> {
      if (role !== undefined) await setRole(actorId, id, role)
      if (disabled !== undefined) await setDisabled(actorId, id, disabled)
      return find(id)
    },

    /** Erases an account; its messages stay under `deleted user`. `actorId` null: its user himself. @throws AppError as `change`. */
    async erase (actorId: string | null, id: string): Promise<void> {
      const outcome = await store.erase(actorId, id)
      if (outcome.code !== null) throw new AppError(outcome.code)
      events.userDisconnected(id)
      for (const { channelId, aclVersion } of outcome.ended) events.membershipsEnded(channelId, [id], aclVersion)
    },

    /** Closes all of a user's connections with 4503. @throws AppError `user_not_found`. */
    async disconnect (userId: string): Promise<void> {
      const { id } = await find(userId)
      await users.disconnect(id)
      events.userDisconnected(id)
    },

    /** To every authenticated connection. @throws AppError `message_too_long` where the frame would be larger than any may be [P59]. */
    announce (message: string): void {
      if (jsonSize(message) > maxText) throw new AppError('message_too_long')
      events.announced(message)
    },

    /** Newest first. */
    async log (query: PageQuery) {
      const { items: log, ...rest } = await readPage(query, byId, (after, most) => store.log(null, after, most))
      return { log, ...rest }
    }
  }
}

function toManaged (account: ManagedAccount): ManagedUser {
  return { ...toUser(account), disabled_at: account.disabledAt?.toISOString() ?? null }
}

const byId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }

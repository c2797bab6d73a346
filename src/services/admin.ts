import type { Static } from '@sinclair/typebox'
import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'
import type { PageQuery, Role } from '../schemas/common.ts'
import type { ManagedUser, UserChange } from '../schemas/admin.ts'
import type { AccountStore, Ended, ManagedAccount } from '../store/accounts.ts'
import type { ModerationStore } from '../store/moderation.ts'
import type { Actor } from '../store/users.ts'
import { toUser } from './auth.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'

export type Admin = ReturnType<typeof createAdmin>

/**
 * Operations for admins: accounts, announcements and the whole moderation log. Admins can neither change nor erase their own account
 * here. The database checks in the statement that writes whether the actor is an admin [P55].
 * `maxText`: bytes that the text of an announcement may take as JSON.
 */
export function createAdmin ({ store, log, events, maxText = Infinity }: {
  store: AccountStore, log: ModerationStore['log'], events: Events, maxText?: number
}) {
  async function find (id: string): Promise<ManagedUser> {
    const account = await store.findManaged(id)
    if (!account) throw new AppError('user_not_found')
    return toManaged(account)
  }

  async function setRole (actor: Actor | null, id: string, role: Role): Promise<void> {
    const outcome = await store.setRole(actor, id, role)
    if (outcome.code !== null) throw new AppError(outcome.code)
    events.userChanged(id, { role })
    const timestamp = new Date().toISOString()
    for (const { channelId, channelName, aclVersion } of outcome.ended) {
      events.userNotified(id, { type: 'kicked_from_channel', channel: channelName, timestamp })
      events.membershipsEnded(channelId, [id], aclVersion)
    }
  }

  async function setDisabled (actor: Actor | null, id: string, disabled: boolean): Promise<void> {
    const code = await store.setDisabled(actor, id, disabled)
    if (code) throw new AppError(code)
    if (disabled) events.userDisconnected(id)
  }

  function tellErased (id: string, ended: Ended[]): void {
    events.userDisconnected(id)
    for (const { channelId, aclVersion } of ended) events.membershipsEnded(channelId, [id], aclVersion)
  }

  return {
    /** A page of accounts, ordered by id. With `query`, only those whose email or name contains it. */
    async users ({ query, ...place }: PageQuery & { query?: string | undefined }) {
      const { items, ...rest } = await readPage(place, byId, (after, limit) => store.search({ query, after, limit }))
      return { users: items.map(toManaged), ...rest }
    },

    /**
     * Changes the role, or disables or enables the account. `actor` is null for the operator at the command line.
     * @throws AppError `user_not_found`, `last_admin`, `not_authorized` for an actor's own account and for an actor who is not an admin.
     */
    async change (actor: Actor | null, id: string, { role, disabled }: Static<typeof UserChange>): Promise<ManagedUser> {
      if (role !== undefined) await setRole(actor, id, role)
      if (disabled !== undefined) await setDisabled(actor, id, disabled)
      return find(id)
    },

    /**
     * Erases an account; its messages stay, under the name `deleted user`.
     * @throws AppError `user_not_found`, `last_admin`, `not_authorized`.
     */
    async erase (actor: Actor, id: string): Promise<void> {
      const outcome = await store.erase(actor, id)
      if (outcome.code !== null) throw new AppError(outcome.code)
      tellErased(id, outcome.ended)
    },

    /** Erases the user's own account. @throws AppError `last_admin`. */
    async eraseSelf (actor: Actor): Promise<void> {
      const outcome = await store.eraseSelf(actor)
      if (outcome.code !== null) throw new AppError(outcome.code)
      tellErased(actor.userId, outcome.ended)
    },

    /** Closes all of a user's connections with 4503. @throws AppError `user_not_found`, `not_authorized`. */
    async disconnect (actor: Actor, id: string): Promise<void> {
      const code = await store.logAdminAct(actor, 'disconnect_user', id)
      if (code) throw new AppError(code)
      events.userDisconnected(id)
    },

    /**
     * Sends an announcement to every authenticated connection.
     * @throws AppError `not_authorized`, `message_too_long` if the frame would exceed the maximum size of a frame [P59].
     */
    async announce (actor: Actor, message: string): Promise<void> {
      if (jsonSize(message) > maxText) throw new AppError('message_too_long')
      const code = await store.logAdminAct(actor, 'announce', null)
      if (code) throw new AppError(code)
      events.announced(message)
    },

    /** A page of the moderation log of the whole server, newest entries first. */
    async log (query: PageQuery) {
      const { items, ...rest } = await readPage(query, byId, (after, most) => log(null, after, most))
      return { log: items, ...rest }
    }
  }
}

function toManaged (account: ManagedAccount): ManagedUser {
  return { ...toUser(account), disabled_at: account.disabledAt?.toISOString() ?? null }
}

const byId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }

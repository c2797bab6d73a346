import { AppError } from '../errors.ts'
import type { PageQuery } from '../schemas/common.ts'
import type { OwnLogin } from '../schemas/login.ts'
import type { LoginPlace, LoginRow, LoginStore } from '../store/logins.ts'
import type { Actor } from '../store/users.ts'
import type { AuthDeps } from './auth.ts'
import { readPage, type PageOrder } from './paging.ts'

export type Logins = ReturnType<typeof createLogins>

/** Lets users see and end their own logins [P62]. */
export function createLogins ({ store, onLoginRevoked }: { store: LoginStore } & Pick<AuthDeps, 'onLoginRevoked'>) {
  return {
    /** A page of the user's logins, the most recently used first. */
    async list ({ userId, sid }: Actor, query: PageQuery) {
      const { items, ...rest } = await readPage(query, byUse, (after, most) => store.list(userId, toPlace(after), most))
      return { logins: items.map(row => toOwnLogin(row, sid)), ...rest }
    },

    /** Ends one login, which may be the actor's current one. @throws AppError `login_not_found`, `authentication_failed`. */
    async end (actor: Actor, id: string): Promise<void> {
      const code = await store.end(actor, id)
      if (code) throw new AppError(code)
      onLoginRevoked(actor.userId, id)
    },

    /** Ends all logins but the actor's current one. @throws AppError `authentication_failed`. */
    async endOthers (actor: Actor): Promise<void> {
      const outcome = await store.endOthers(actor)
      if (outcome.code !== null) throw new AppError(outcome.code)
      for (const sid of outcome.ended) onLoginRevoked(actor.userId, sid)
    }
  }
}

const byUse: PageOrder<LoginRow> = { shape: 'time', key: ({ usedAt, tokenId }) => `${usedAt.getTime()} ${tokenId}` }

function toPlace (key: string | undefined): LoginPlace | undefined {
  if (key === undefined) return undefined
  const [time, tokenId] = key.split(' ') as [string, string]
  return { usedAt: new Date(Number(time)), tokenId }
}

function toOwnLogin ({ sid, device, network, usedAt }: LoginRow, current: string | null): OwnLogin {
  return {
    id: sid,
    device,
    address: network,
    created_at: timeOf(sid).toISOString(),
    last_used_at: usedAt.toISOString(),
    current: sid === current
  }
}

/** Returns the time at which an id was made, which every UUIDv7 begins with. */
function timeOf (id: string): Date {
  return new Date(parseInt(id.replaceAll('-', '').slice(0, 12), 16))
}

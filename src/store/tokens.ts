import { uuidv7 } from 'uuidv7'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import type { Account } from './users.ts'

/** One refresh token in its stored form: neither hash nor salt reveals the token. */
export interface StoredToken {
  hash: Uint8Array<ArrayBuffer>
  /** Salt for the derivation of the token's successor. */
  salt: Uint8Array<ArrayBuffer>
  /** Seconds from now, by the database's clock. */
  lifetime: number
}

/** What is kept of the client that logs in or refreshes, for the user's list of logins [P62]. */
export interface ClientTrace {
  /** The beginning of its `User-Agent`. */
  device: string | null
  /** The network of its address: an IPv4 network of 24 bits or an IPv6 network of 48 bits. */
  network: string | null
}

/** An account with a valid login. When the database later has a higher `disconnects`, an admin has closed its connections since. */
export interface Authenticated extends Account { disconnects: number }

export interface NewLogin {
  userId: string
  sid: string
  passwordHash: string
  token: StoredToken
  maxLogins: number
  client: ClientTrace
}

/** The successor of a used token. `remaining`: whole seconds for which it is valid, negative where it has expired. */
export interface Successor { used: boolean, remaining: number }

/** A refresh token that a client presents, and its state by the database's clock. */
export interface PresentedToken {
  account: Account
  disabled: boolean
  /** Id of the login. */
  sid: string
  salt: Uint8Array<ArrayBuffer>
  /** Seconds since the token was used; null if it was not. */
  usedFor: number | null
  expired: boolean
  /** The login has ended. */
  revoked: boolean
}

export type Tokens = ReturnType<typeof createTokens>

export function createTokens ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return withStoreErrors({
    /**
     * Finds the user of each login; null where the user is gone or disabled, or the login is unknown or revoked [P12]. All logins take one
     * round trip; the results are in the order of `logins`.
     */
    async findLogins (logins: Array<{ userId: string, sid: string }>): Promise<Array<Authenticated | null>> {
      const userIds = logins.map(login => login.userId)
      const sids = logins.map(login => login.sid)
      const rows = await query<Authenticated | { id: null }>(`
        SELECT u.id, u.email, u.name, u.handle, u.role::text AS role, u."createdAt", u."emailVerifiedAt", u.disconnects
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (user_id, sid, place)
        LEFT JOIN LATERAL (
          SELECT * FROM "User" x
          WHERE x.id = asked.user_id AND x."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(x, asked.sid)) LIMIT 1) u ON true
        ORDER BY asked.place`, [userIds, sids])
      return rows.map(row => row.id === null ? null : row)
    },

    /**
     * Starts a login. An account may have `maxLogins` logins (0 means no limit); the longest unused ones beyond that end [P56].
     * @returns the ids of the logins that ended, or null where the account is disabled or its password hash is no longer `passwordHash`.
     */
    async start ({ userId, sid, passwordHash, token, maxLogins, client }: NewLogin): Promise<string[] | null> {
      const [{ ended }] = await prisma.$queryRaw<[{ ended: string[] | null }]>`
        SELECT parley_start_login(${userId}::uuid, ${sid}::uuid, ${passwordHash}, ${maxLogins}::int,
          ${uuidv7()}::uuid, ${token.hash}, ${token.salt}, ${token.lifetime}::int,
          ${client.device}, ${client.network}) AS ended`
      return ended
    },

    async find (hash: Uint8Array<ArrayBuffer>): Promise<PresentedToken | null> {
      const [row] = await prisma.$queryRaw<Array<Account & Omit<PresentedToken, 'account'>>>`
        SELECT u.id, u.email, u.name, u.handle, u.role::text AS role, u."createdAt", u."emailVerifiedAt",
          u."disabledAt" IS NOT NULL AS disabled,
          t."familyId" AS sid, t.salt, t."expiresAt" <= now() AS expired,
          extract(epoch FROM now() - t."usedAt")::float8 AS "usedFor",
          NOT EXISTS (SELECT FROM parley_live_login(u, t."familyId")) AS revoked
        FROM "RefreshToken" t JOIN "User" u ON u.id = t."userId"
        WHERE t."tokenHash" = ${hash}`
      if (!row) return null
      const { id, email, name, handle, role, createdAt, emailVerifiedAt, ...token } = row
      return { account: { id, email, name, handle, role, createdAt, emailVerifiedAt }, ...token }
    },

    /** Marks a token as used and stores its successor. @returns false where the token is used or expired, or its login has ended. */
    async rotate (hash: Uint8Array<ArrayBuffer>, successor: StoredToken, client: ClientTrace): Promise<boolean> {
      const [{ done }] = await prisma.$queryRaw<[{ done: boolean }]>`
        SELECT parley_refresh_login(
          ${hash}, ${uuidv7()}::uuid, ${successor.hash}, ${successor.salt}, ${successor.lifetime}::int,
          ${client.device}, ${client.network}) AS done`
      return done
    },

    /** Returns null where the token is unknown. */
    async findSuccessor (hash: Uint8Array<ArrayBuffer>): Promise<Successor | null> {
      const [row] = await prisma.$queryRaw<Successor[]>`
        SELECT "usedAt" IS NOT NULL AS used, floor(extract(epoch FROM "expiresAt" - now()))::int AS remaining
        FROM "RefreshToken" WHERE "tokenHash" = ${hash}`
      return row ?? null
    },

    /** Ends a login. @returns false where it had already ended. */
    async revoke (sid: string): Promise<boolean> {
      const [{ ended }] = await prisma.$queryRaw<[{ ended: boolean }]>`SELECT parley_end_login(${sid}::uuid) AS ended`
      return ended
    },

    /**
     * Finds users with logins that ended within the last `ms` milliseconds, by the database's clock. Only `findLogins` tells which logins
     * ended: where very many logins of a user end at once, only some of their tokens are marked as revoked.
     */
    async loggedOutWithin (ms: number): Promise<string[]> {
      const rows = await prisma.$queryRaw<Array<{ userId: string }>>`
        SELECT DISTINCT "userId" FROM "RefreshToken" WHERE "revokedAt" > now() - make_interval(secs => ${ms / 1000})`
      return rows.map(({ userId }) => userId)
    },

    /**
     * Deletes up to `limit` tokens that expired more than `grace` seconds (an access token's lifetime) ago. A revoked token stays while its
     * login has other tokens, because only the revoked token shows that the login has ended. @returns how many tokens it deleted.
     */
    async purge (grace: number, limit = 1000): Promise<number> {
      const [row] = await prisma.$queryRaw<[{ purged: number }]>`SELECT parley_purge_logins(${grace}::int, ${limit}::int) AS purged`
      return row.purged
    }
  })
}

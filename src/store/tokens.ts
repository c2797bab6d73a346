import { uuidv7 } from 'uuidv7'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import type { Account } from './users.ts'

/** One refresh token as it may be stored: neither hash nor salt gives it away. */
export interface StoredToken {
  hash: Uint8Array<ArrayBuffer>
  /** What the successor is derived with. */
  salt: Uint8Array<ArrayBuffer>
  /** Seconds, from the database's now. */
  lifetime: number
}

/** An account whose login stands. `disconnects` is to be held against the database's later. */
export interface Authenticated extends Account { disconnects: number }

export interface NewLogin { userId: string, sid: string, passwordHash: string, token: StoredToken, maxLogins: number }

/** A presented refresh token, judged by the database's clock. */
export interface PresentedToken {
  account: Account
  disabled: boolean
  /** The login. */
  sid: string
  salt: Uint8Array<ArrayBuffer>
  used: boolean
  /** Used less than 10 s ago. */
  usedJustNow: boolean
  expired: boolean
  /** The login is over. */
  revoked: boolean
}

export type Tokens = ReturnType<typeof createTokens>

export function createTokens ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return withStoreErrors({
    /**
     * For each access token: its user, or null where he is gone or disabled, or the login is unknown or revoked [P12]. In the order
     * asked, in one round trip, however many.
     */
    async findLogins (logins: Array<{ userId: string, sid: string }>): Promise<Array<Authenticated | null>> {
      const userIds = logins.map(login => login.userId)
      const sids = logins.map(login => login.sid)
      const rows = await query<Authenticated | { id: null }>(`
        SELECT u.id, u.email, u.name, u.role::text AS role, u."createdAt", u.disconnects
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (user_id, sid, place)
        LEFT JOIN "User" u ON u.id = asked.user_id AND u."disabledAt" IS NULL AND EXISTS (SELECT FROM parley_live_login(u, asked.sid))
        ORDER BY asked.place`, [userIds, sids])
      return rows.map(row => row.id === null ? null : row)
    },

    /**
     * Starts a login; null where the account is disabled or its hash is not `passwordHash` any more. Resolves with the logins that ended
     * for it: the longest unused ones beyond `maxLogins`; 0 is no limit [P56].
     */
    async start ({ userId, sid, passwordHash, token, maxLogins }: NewLogin): Promise<string[] | null> {
      const [{ ended }] = await prisma.$queryRaw<[{ ended: string[] | null }]>`
        SELECT parley_start_login(${userId}::uuid, ${sid}::uuid, ${passwordHash}, ${maxLogins}::int,
          ${uuidv7()}::uuid, ${token.hash}, ${token.salt}, ${token.lifetime}::int) AS ended`
      return ended
    },

    async find (hash: Uint8Array<ArrayBuffer>): Promise<PresentedToken | null> {
      const [row] = await prisma.$queryRaw<Array<Account & Omit<PresentedToken, 'account'>>>`
        SELECT u.id, u.email, u.name, u.role::text AS role, u."createdAt", u."disabledAt" IS NOT NULL AS disabled,
          t."familyId" AS sid, t.salt, t."expiresAt" <= now() AS expired, t."usedAt" IS NOT NULL AS used,
          coalesce(t."usedAt" > now() - interval '10 seconds', false) AS "usedJustNow",
          NOT EXISTS (SELECT FROM parley_live_login(u, t."familyId")) AS revoked
        FROM "RefreshToken" t JOIN "User" u ON u.id = t."userId"
        WHERE t."tokenHash" = ${hash}`
      if (!row) return null
      const { id, email, name, role, createdAt, ...token } = row
      return { account: { id, email, name, role, createdAt }, ...token }
    },

    /** Marks a token used and stores its successor; false where it was used or expired by then, or its login was over. */
    async rotate (hash: Uint8Array<ArrayBuffer>, successor: StoredToken): Promise<boolean> {
      const [{ done }] = await prisma.$queryRaw<[{ done: boolean }]>`
        SELECT parley_refresh_login(
          ${hash}, ${uuidv7()}::uuid, ${successor.hash}, ${successor.salt}, ${successor.lifetime}::int) AS done`
      return done
    },

    /** Whole seconds that an unused token is still good for; null where it was used, or is not there. */
    async remaining (hash: Uint8Array<ArrayBuffer>): Promise<number | null> {
      const [row] = await prisma.$queryRaw<Array<{ seconds: number }>>`
        SELECT floor(extract(epoch FROM "expiresAt" - now()))::int AS seconds FROM "RefreshToken"
        WHERE "tokenHash" = ${hash} AND "usedAt" IS NULL AND "expiresAt" > now()`
      return row?.seconds ?? null
    },

    /** Ends a login. False where it had ended before. */
    async revoke (sid: string): Promise<boolean> {
      const [{ ended }] = await prisma.$queryRaw<[{ ended: boolean }]>`SELECT parley_end_login(${sid}::uuid) AS ended`
      return ended
    },

    /**
     * Users of whom logins have ended within the last `ms` milliseconds, by the database's clock. Which logins, `findLogins` says: of many
     * that ended at once only some are marked.
     */
    async loggedOutWithin (ms: number): Promise<string[]> {
      const rows = await prisma.$queryRaw<Array<{ userId: string }>>`
        SELECT DISTINCT "userId" FROM "RefreshToken" WHERE "revokedAt" > now() - make_interval(secs => ${ms / 1000})`
      return rows.map(({ userId }) => userId)
    },

    /**
     * Deletes up to `limit` tokens that expired more than `grace` seconds (an access token's lifetime) ago; resolves with how many. A
     * revoked one stays while its login has others, which are known as revoked by it.
     */
    async purge (grace: number, limit = 1000): Promise<number> {
      const [row] = await prisma.$queryRaw<[{ purged: number }]>`SELECT parley_purge_logins(${grace}::int, ${limit}::int) AS purged`
      return row.purged
    }
  })
}

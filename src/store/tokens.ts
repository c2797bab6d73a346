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
  /** True when any token of the login is: a successor made while the login was being revoked is none of the revoked rows. */
  revoked: boolean
}

export type Tokens = ReturnType<typeof createTokens>

export function createTokens ({ prisma, query }: Pick<Database, 'prisma' | 'query'>) {
  return withStoreErrors({
    /**
     * For each access token: its user, or null where he is gone or disabled, or the login is unknown or revoked [P12]. In the order
     * asked, in one round trip, however many.
     */
    async findLogins (logins: Array<{ userId: string, sid: string }>): Promise<Array<Account | null>> {
      const userIds = logins.map(login => login.userId)
      const sids = logins.map(login => login.sid)
      const rows = await query<Account | { id: null }>(`
        SELECT u.id, u.email, u.name, u.role::text AS role, u."createdAt"
        FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (user_id, sid, place)
        LEFT JOIN "User" u ON u.id = asked.user_id AND u."disabledAt" IS NULL AND parley_login_is_live(u, asked.sid)
        ORDER BY asked.place`, [userIds, sids])
      return rows.map(row => row.id === null ? null : row)
    },

    /**
     * Starts a login; false where the account is disabled or its hash is not `passwordHash` any more. The row lock makes a change of
     * password wait, so that it sees this login and revokes it.
     */
    async start ({ userId, sid, passwordHash, token }: { userId: string, sid: string, passwordHash: string, token: StoredToken }) {
      const inserted = await prisma.$executeRaw`
        INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt")
        SELECT ${uuidv7()}::uuid, ${token.hash}, ${token.salt}, u.id, ${sid}::uuid, now() + make_interval(secs => ${token.lifetime})
        FROM "User" u WHERE u.id = ${userId}::uuid AND u."disabledAt" IS NULL AND u."passwordHash" = ${passwordHash}
        FOR SHARE OF u`
      return inserted === 1
    },

    async find (hash: Uint8Array<ArrayBuffer>): Promise<PresentedToken | null> {
      const [row] = await prisma.$queryRaw<Array<Account & Omit<PresentedToken, 'account'>>>`
        SELECT u.id, u.email, u.name, u.role::text AS role, u."createdAt", u."disabledAt" IS NOT NULL AS disabled,
          t."familyId" AS sid, t.salt, t."expiresAt" <= now() AS expired, t."usedAt" IS NOT NULL AS used,
          coalesce(t."usedAt" > now() - interval '10 seconds', false) AS "usedJustNow",
          EXISTS (SELECT FROM "RefreshToken" r WHERE r."familyId" = t."familyId" AND r."revokedAt" IS NOT NULL) AS revoked
        FROM "RefreshToken" t JOIN "User" u ON u.id = t."userId"
        WHERE t."tokenHash" = ${hash}`
      if (!row) return null
      const { id, email, name, role, createdAt, ...token } = row
      return { account: { id, email, name, role, createdAt }, ...token }
    },

    /** Marks a token used and stores its successor; false where it was used, revoked or expired, or its user disabled, by then. */
    async rotate (hash: Uint8Array<ArrayBuffer>, successor: StoredToken): Promise<boolean> {
      const inserted = await prisma.$executeRaw`
        WITH owner AS (
          SELECT u.id FROM "RefreshToken" t JOIN "User" u ON u.id = t."userId"
          WHERE t."tokenHash" = ${hash} AND u."disabledAt" IS NULL AND parley_login_is_live(u, t."familyId")
          FOR SHARE OF u
        ), used AS (
          UPDATE "RefreshToken" t SET "usedAt" = now() FROM owner
          WHERE t."tokenHash" = ${hash} AND t."userId" = owner.id
            AND t."usedAt" IS NULL AND t."revokedAt" IS NULL AND t."expiresAt" > now()
          RETURNING t."userId", t."familyId")
        INSERT INTO "RefreshToken" (id, "tokenHash", salt, "userId", "familyId", "expiresAt")
        SELECT ${uuidv7()}::uuid, ${successor.hash}, ${successor.salt}, "userId", "familyId",
          now() + make_interval(secs => ${successor.lifetime}) FROM used`
      return inserted === 1
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
      const [row] = await prisma.$queryRaw<[{ ended: boolean }]>`SELECT parley_end_login(${sid}::uuid) AS ended`
      return row.ended
    },

    /** Users disabled and logins revoked within the last `ms` milliseconds, by the database's clock. */
    async revokedWithin (ms: number): Promise<{ users: string[], logins: Array<{ userId: string, sid: string }> }> {
      const rows = await prisma.$queryRaw<Array<{ user_id: string, sid: string | null }>>`
        SELECT id AS user_id, NULL AS sid FROM "User" WHERE "disabledAt" > now() - make_interval(secs => ${ms / 1000})
        UNION ALL
        SELECT DISTINCT "userId", "familyId" FROM "RefreshToken" WHERE "revokedAt" > now() - make_interval(secs => ${ms / 1000})`
      return {
        users: rows.flatMap(({ user_id: id, sid }) => sid === null ? [id] : []),
        logins: rows.flatMap(({ user_id: userId, sid }) => sid === null ? [] : [{ userId, sid }])
      }
    },

    /**
     * Deletes up to `limit` tokens that expired more than `grace` seconds (an access token's lifetime) ago; resolves with how many. A
     * revoked one stays while its login has others, which are known as revoked by it.
     */
    async purge (grace: number, limit = 1000): Promise<number> {
      return prisma.$executeRaw`
        WITH bound AS (SELECT now() - make_interval(secs => ${grace}) AS cutoff)
        DELETE FROM "RefreshToken" WHERE id IN (
          SELECT t.id FROM "RefreshToken" t, bound
          WHERE t."expiresAt" < cutoff AND (t."revokedAt" IS NULL OR NOT EXISTS (
            SELECT FROM "RefreshToken" s WHERE s."familyId" = t."familyId" AND s."expiresAt" >= cutoff))
          LIMIT ${limit})`
    }
  })
}

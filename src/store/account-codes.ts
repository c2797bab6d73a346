import type { ErrorCode } from '../errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** A new code as it is stored. `lifetime`: seconds from now, by the database's clock. */
export interface NewAccountCode { hash: Uint8Array<ArrayBuffer>, lifetime: number }

export type AccountCodeStore = ReturnType<typeof createAccountCodeStore>

/** Codes that reset a password [P75] or verify an email address [P76]. Only hashes of them are stored; each user has one of each kind. */
export function createAccountCodeStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Stores a code that `actor`, or the operator if it is null, gives to a user. @returns the refusal, or when the code expires. */
    async give (actor: Actor | null, targetId: string, { hash, lifetime }: NewAccountCode) {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode, expiresAt: null } | { code: null, expiresAt: Date }]>`
        SELECT code, expires_at AS "expiresAt" FROM parley_give_reset_code(
          ${actor?.userId ?? null}::uuid, ${actor?.sid ?? null}::uuid, ${targetId}::uuid, ${hash}, ${lifetime}::int)`
      return row
    },

    /** Stores a code for a mail to the normalised address `email`. @returns false if no mail is to be sent. */
    async mail (kind: 'mailed_reset' | 'verification', email: string, { hash, lifetime }: NewAccountCode): Promise<boolean> {
      const [row] = await prisma.$queryRaw<[{ stored: boolean }]>`
        SELECT parley_mail_code(${email}, ${kind}::"CodeKind", ${hash}, ${lifetime}::int) AS stored`
      return row.stored
    },

    /** Checks whether the code can reset a password now. Only `reset` takes it. */
    async resets (hash: Uint8Array<ArrayBuffer>): Promise<boolean> {
      const [row] = await prisma.$queryRaw<Array<{ usable: boolean }>>`
        SELECT a."expiresAt" > clock_timestamp() AND a.kind <> 'verification' AS usable FROM "AccountCode" a WHERE a."codeHash" = ${hash}`
      return row?.usable ?? false
    },

    /**
     * Takes a code, sets the password hash of its user and ends all their logins.
     * @returns the user and the ids of the logins that ended (of very many, only some), or null if the code cannot be used.
     */
    async reset (hash: Uint8Array<ArrayBuffer>, passwordHash: string): Promise<{ userId: string, ended: string[] } | null> {
      const [{ userId, ended }] = await prisma.$queryRaw<[{ userId: string | null, ended: string[] }]>`
        SELECT user_id AS "userId", ended FROM parley_reset_password(${hash}, ${passwordHash})`
      return userId === null ? null : { userId, ended }
    },

    /** Takes a code and marks the address of its user as verified. @returns false if the code cannot be used. */
    async verify (hash: Uint8Array<ArrayBuffer>): Promise<boolean> {
      const [row] = await prisma.$queryRaw<[{ verified: boolean }]>`SELECT parley_verify_email(${hash}) AS verified`
      return row.verified
    },

    /** Deletes up to `limit` codes that have expired. @returns how many it deleted. */
    purge: (limit: number): Promise<number> => prisma.$executeRaw`
      DELETE FROM "AccountCode" WHERE "codeHash" = ANY (ARRAY(
        SELECT a."codeHash" FROM "AccountCode" a WHERE a."expiresAt" < clock_timestamp() ORDER BY a."expiresAt" LIMIT ${limit}::int))`
  })
}

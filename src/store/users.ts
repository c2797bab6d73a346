import { AppError, type ErrorCode } from '../errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Role } from '../schemas/common.ts'
import { isUniqueViolation, withStoreErrors } from './errors.ts'

/** A user as the rest of the server knows him. `email` is null for a guest [P16] and for an erased account. */
export interface Account {
  id: string
  email: string | null
  name: string
  role: Role
  createdAt: Date
}

/**
 * Who acts, and by which login (`sid`; null: a guest, who has none). Whatever writes takes an actor, and the database judges
 * user and login in the statement that writes [P55].
 */
export interface Actor { userId: string, sid: string | null }

/** An account as an admin sees it. */
export interface ManagedAccount extends Account { disabledAt: Date | null }

/** What only the proof of identity needs. `passwordHash` is a PHC string. */
export interface AccountSecrets extends Account {
  passwordHash: string | null
  disabledAt: Date | null
}

const accountFields = { id: true, email: true, name: true, role: true, createdAt: true } as const
const managedFields = { ...accountFields, disabledAt: true } as const
const secretFields = { ...accountFields, passwordHash: true, disabledAt: true } as const

export type Users = ReturnType<typeof createUsers>

export function createUsers (prisma: PrismaClient) {
  return withStoreErrors({
    /** `email` in its normalised form. Disabled accounts are found too. */
    findByEmail (email: string): Promise<AccountSecrets | null> {
      return prisma.user.findUnique({ where: { email }, select: secretFields })
    },

    findById (id: string): Promise<AccountSecrets | null> {
      return prisma.user.findUnique({ where: { id }, select: secretFields })
    },

    /** @throws AppError `email_taken`, also when the other registration came at the same moment. */
    async create (user: { email: string, name: string, passwordHash: string, role?: Role }): Promise<Account> {
      try {
        return await prisma.user.create({ data: user, select: accountFields })
      } catch (error) {
        throw isUniqueViolation(error) ? new AppError('email_taken') : error
      }
    },

    createGuest (name: string): Promise<Account> {
      return prisma.user.create({ data: { name }, select: accountFields })
    },

    setRole (id: string, role: Role): Promise<Account> {
      return prisma.user.update({ where: { id }, data: { role }, select: accountFields })
    },

    /** @returns null, or why not. */
    async rename ({ userId, sid }: Actor, name: string): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_rename_user(${userId}::uuid, ${sid}::uuid, ${name}) AS code`
      return row.code
    },

    /**
     * Replaces the hash `from` by `to` and revokes the user's logins but `sid`; resolves with those revoked.
     * In two statements: the second must see a login that committed while the first waited for the row.
     * @throws AppError `authentication_failed`; `not_authorized` where the hash is `from` no more.
     */
    async changePassword ({ id, sid, from, to }: { id: string, sid: string | null, from: string, to: string }): Promise<string[]> {
      const [[{ code }], revoked] = await prisma.$transaction([
        prisma.$queryRaw<[{ code: ErrorCode | null }]>`
          SELECT parley_change_password(${id}::uuid, ${sid}::uuid, ${from}, ${to}) AS code`,
        prisma.$queryRaw<Array<{ familyId: string }>>`
          UPDATE "RefreshToken" SET "revokedAt" = now()
          WHERE "userId" = ${id}::uuid AND "familyId" <> ${sid}::uuid AND "revokedAt" IS NULL
            AND EXISTS (SELECT FROM "User" WHERE id = ${id}::uuid AND "passwordHash" = ${to})
          RETURNING "familyId"`
      ])
      if (code) throw new AppError(code)
      return [...new Set(revoked.map(row => row.familyId))]
    },

    /** Any account that is not erased. */
    findManaged (id: string): Promise<ManagedAccount | null> {
      return prisma.user.findFirst({ where: { id, email: { not: null } }, select: managedFields })
    },

    /** Accounts by id, beginning after the id `after`, whose email or name contains `query`, in any case. */
    search ({ query, after, limit }: { query: string | undefined, after: string | undefined, limit: number }): Promise<ManagedAccount[]> {
      // Prisma makes a LIKE of it and leaves its wildcards to us.
      const contains = query === undefined ? undefined : { contains: query.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' as const }
      return prisma.user.findMany({
        where: {
          email: { not: null },
          ...after && { id: { gt: after } },
          ...contains && { OR: [{ email: contains }, { name: contains }] }
        },
        orderBy: { id: 'asc' },
        take: limit,
        select: managedFields
      })
    }
  })
}

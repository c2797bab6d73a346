import { AppError, type ErrorCode } from '../errors.ts'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { Role } from '../schemas/common.ts'
import { isUniqueViolation, withStoreErrors } from './errors.ts'

/** A user as the rest of the server knows them. `email` is null for a guest [P16] and for an erased account. */
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

/** What open connections depend on. `disconnects`: how often an admin has closed all of them. */
export interface UserState { id: string, name: string, role: Role, disabled: boolean, disconnects: number }

/** What only the proof of identity needs. `passwordHash` is a PHC string. */
export interface AccountSecrets extends Account {
  passwordHash: string | null
  disabledAt: Date | null
}

export const accountFields = { id: true, email: true, name: true, role: true, createdAt: true } as const
const secretFields = { ...accountFields, passwordHash: true, disabledAt: true } as const

export type Users = ReturnType<typeof createUsers>

export function createUsers (prisma: PrismaClient) {
  const findStates = (condition: Prisma.Sql): Promise<UserState[]> => prisma.$queryRaw<UserState[]>`
    SELECT id, name, role::text AS role, "disabledAt" IS NOT NULL AS disabled, disconnects FROM "User" WHERE ${condition}`

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

    /** What open connections depend on, of those of the users who exist. */
    states: (ids: string[]): Promise<UserState[]> => findStates(Prisma.sql`id = ANY (${ids}::uuid[])`),

    /** The same of users for whom it changed within the last `ms` milliseconds, by the database's clock. */
    changedWithin: (ms: number): Promise<UserState[]> =>
      findStates(Prisma.sql`"changedAt" > now() - make_interval(secs => ${ms / 1000})`),

    /** Makes an account an admin. False where its hash is not `passwordHash` any more. */
    async promote ({ id, passwordHash }: { id: string, passwordHash: string }): Promise<boolean> {
      const { count } = await prisma.user.updateMany({ where: { id, passwordHash }, data: { role: 'admin' } })
      return count === 1
    },

    /** @returns null, or why not. */
    async rename ({ userId, sid }: Actor, name: string): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_rename_user(${userId}::uuid, ${sid}::uuid, ${name}) AS code`
      return row.code
    },

    /**
     * Replaces the hash `from` by `to` and ends the user's logins but `sid`; resolves with those ended, of very many with some.
     * @throws AppError `authentication_failed` where `sid` is over, `not_authorized` where the hash is `from` no more.
     */
    async changePassword ({ id, sid, from, to }: { id: string, sid: string | null, from: string, to: string }): Promise<string[]> {
      const [{ code, ended }] = await prisma.$queryRaw<[{ code: ErrorCode | null, ended: string[] }]>`
        SELECT code, ended FROM parley_change_password(${id}::uuid, ${sid}::uuid, ${from}, ${to})`
      if (code !== null) throw new AppError(code)
      return ended
    }
  })
}

import { uuidv7 } from 'uuidv7'
import { AppError, type ErrorCode } from '../errors.ts'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { Role } from '../schemas/common.ts'
import { NIL, refused, type Refused } from './channels.ts'
import { isUniqueViolation, withStoreErrors } from './errors.ts'
import type { JoinRules } from './memberships.ts'

/** A user as the rest of the server knows them. `email` is null for a guest [P16] and for an erased account. */
export interface Account {
  id: string
  email: string | null
  name: string
  /** Null for a guest and for an erased account [P65]. */
  handle: string | null
  role: Role
  createdAt: Date
  /** When the user proved that they receive mails to `email` [P76]. */
  emailVerifiedAt: Date | null
}

/**
 * The user who acts, and the id of the login they act by (`sid`; null for guests, who have no login). Writes take an actor, and the
 * database checks user and login in the statement that writes [P55].
 */
export interface Actor { userId: string, sid: string | null }

/** The state of a user that open connections depend on. `disconnects`: how often an admin has closed all of the user's connections. */
export interface UserState { id: string, name: string, handle: string | null, role: Role, disabled: boolean, disconnects: number }

/** An account with the fields that only authentication needs. `passwordHash` is a PHC string. */
export interface AccountSecrets extends Account {
  passwordHash: string | null
  disabledAt: Date | null
}

export const accountFields = {
  id: true, email: true, name: true, handle: true, role: true, createdAt: true, emailVerifiedAt: true
} as const
const secretFields = { ...accountFields, passwordHash: true, disabledAt: true } as const

/** Somebody who registers, with the handle that they want and the hash of their invitation code, if they name any. */
export interface NewAccount {
  email: string
  name: string
  handle: string | null
  passwordHash: string
  codeHash: Uint8Array<ArrayBuffer> | null
}

interface Registered { code: ErrorCode | null, createdAt: Date, handle: string }

/** What limits the channels that new users join by an invitation code. A cap of 0 means no cap; `defaultRoom` is never full. */
export type InvitationRules = Pick<JoinRules, 'maxChannels' | 'maxUsers' | 'defaultRoom'>

export type Users = ReturnType<typeof createUsers>

export function createUsers (prisma: PrismaClient) {
  /** `source` has the users' rows as a table `u`. */
  const findStates = (source: Prisma.Sql): Promise<UserState[]> => prisma.$queryRaw<UserState[]>`
    SELECT u.id, u.name, u.handle, u.role::text AS role, u."disabledAt" IS NOT NULL AS disabled, u.disconnects FROM ${source}`

  return withStoreErrors({
    /** `email` has to be in its normalised form. Disabled accounts are found too. */
    findByEmail (email: string): Promise<AccountSecrets | null> {
      return prisma.user.findUnique({ where: { email }, select: secretFields })
    },

    findById (id: string): Promise<AccountSecrets | null> {
      return prisma.user.findUnique({ where: { id }, select: secretFields })
    },

    /** Returns the id of the user with this handle, also of a disabled one, or the nil id, which is nobody's. */
    async idOfHandle (handle: string): Promise<string> {
      const [row] = await prisma.$queryRaw<Array<{ id: string }>>`SELECT id FROM "User" WHERE handle = ${handle}`
      return row?.id ?? NIL
    },

    /** @throws AppError `email_taken`, also when another registration with this email happens at the same moment. */
    async create ({ email, name, passwordHash }: { email: string, name: string, passwordHash: string }): Promise<Account> {
      try {
        const [account] = await prisma.$queryRaw<[Account]>`
          SELECT id, email, name, handle, role::text AS role, "createdAt"
          FROM parley_add_account(${uuidv7()}::uuid, ${email}, ${name}, ${passwordHash}, NULL)`
        return account
      } catch (error) {
        throw isUniqueViolation(error) ? new AppError('email_taken') : error
      }
    },

    /**
     * Makes an account for somebody who registers. Where `codeHash` is given, it takes one use of that invitation code, and the user joins
     * its channels within the caps of `rules` [P64].
     * @throws AppError `email_taken`, `handle_taken`, `invalid_invitation_code`.
     */
    async register ({ email, name, handle: wanted, passwordHash, codeHash }: NewAccount, rules: InvitationRules): Promise<Account> {
      const id = uuidv7()
      const { maxChannels, maxUsers, defaultRoom } = rules
      try {
        const [{ code, createdAt, handle }] = await prisma.$queryRaw<[Registered]>`
          SELECT code, created_at AS "createdAt", handle FROM parley_register(
            ${id}::uuid, ${email}, ${name}, ${passwordHash}, ${codeHash}::bytea,
            ${maxChannels}::int, ${maxUsers}::int, ${defaultRoom}, ${wanted})`
        if (code !== null) throw new AppError(code)
        return { id, email, name, handle, role: 'user', createdAt, emailVerifiedAt: null }
      } catch (error) {
        throw isUniqueViolation(error) ? new AppError('email_taken') : error
      }
    },

    /** Reads the states of the given users; users that do not exist are left out. */
    states: (ids: string[]): Promise<UserState[]> => findStates(Prisma.sql`
      unnest(${ids}::uuid[]) AS given (id) CROSS JOIN LATERAL (SELECT * FROM "User" x WHERE x.id = given.id LIMIT 1) u`),

    /** Reads the states of all users whose state changed within the last `ms` milliseconds, by the database's clock. */
    changedWithin: (ms: number): Promise<UserState[]> =>
      findStates(Prisma.sql`"User" u WHERE u."changedAt" > now() - make_interval(secs => ${ms / 1000})`),

    /** Makes an account an admin, and logs it. @returns false where its password hash is no longer `passwordHash`. */
    async promote ({ id, passwordHash }: { id: string, passwordHash: string }): Promise<boolean> {
      const [{ done }] = await prisma.$queryRaw<[{ done: boolean }]>`SELECT parley_promote(${id}::uuid, ${passwordHash}) AS done`
      return done
    },

    /** Changes the name, the handle, or both; what is undefined stays as it is. @returns null, or the refusal. */
    async rename ({ userId, sid }: Actor, { name, handle }: { name?: string, handle?: string }): Promise<Refused | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null, retry_after_ms: bigint | null }]>`
        SELECT * FROM parley_rename(${userId}::uuid, ${sid}::uuid, ${name ?? null}, ${handle ?? null})`
      return row.code === null ? null : refused(row.code, row.retry_after_ms)
    },

    /**
     * Replaces the password hash `from` by `to` and ends all of the user's logins except `sid`.
     * @returns the ids of the logins that ended; of very many, only some.
     * @throws AppError `authentication_failed` where the login `sid` has ended, `not_authorized` where the hash is no longer `from`.
     */
    async changePassword ({ id, sid, from, to }: { id: string, sid: string | null, from: string, to: string }): Promise<string[]> {
      const [{ code, ended }] = await prisma.$queryRaw<[{ code: ErrorCode | null, ended: string[] }]>`
        SELECT code, ended FROM parley_change_password(${id}::uuid, ${sid}::uuid, ${from}, ${to})`
      if (code !== null) throw new AppError(code)
      return ended
    }
  })
}

import { AppError } from '../errors.ts'
import type { UserPatch } from '../schemas/user.ts'
import type { Account, Actor, Users } from '../store/users.ts'
import { toEmail } from './email.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { Attempt, Passwords } from './passwords.ts'

export interface AccountsDeps {
  users: Users
  passwords: Passwords
  throttle: LoginThrottle
  onLoginRevoked (userId: string, sid: string): void
  /** Erases the account and closes its connections with 4503. */
  erase (actor: Actor): Promise<void>
  /** Called after the account's name or handle has changed. */
  onUserChanged (userId: string, change: { name?: string, handle?: string }): void
}

export type Accounts = ReturnType<typeof createAccounts>

/** What users may do with their own accounts. A wrong password is answered `not_authorized` and counts towards the limits of logins. */
export function createAccounts ({ users, passwords, throttle, onLoginRevoked, erase, onUserChanged }: AccountsDeps) {
  async function prove (userId: string, password: string, address: string): Promise<string> {
    const attempt = throttle.attempt(userId, address)
    await attempt.admit()
    const passwordHash = (await users.findById(userId))?.passwordHash ?? null
    const right = await passwords.verify(passwordHash, password, attempt)
    if (!right || !passwordHash) throw new AppError('not_authorized')
    return passwordHash
  }

  async function changePassword ({ user, sid }: { user: Account } & Pick<Actor, 'sid'>, current: string, next: string, address: string) {
    const from = await prove(user.id, current, address)
    const ended = await users.changePassword({ id: user.id, sid, from, to: await passwords.hash(next, address) })
    for (const login of ended) onLoginRevoked(user.id, login)
  }

  return {
    /**
     * Changes what is given of name, handle and password. A new password ends all other logins. `address` is the client's address.
     * @throws AppError `not_authorized` for a wrong current password, `handle_taken`, `rate_limited` after too many attempts or changes of
     * the handle [P65].
     */
    async update (identity: { user: Account } & Pick<Actor, 'sid'>, patch: UserPatch, address: string): Promise<Account> {
      const { name, handle, password, current_password: current } = patch
      if (password !== undefined) {
        if (current === undefined) throw new AppError('invalid_request', { detail: 'current_password: required with password' })
        await changePassword(identity, current, password, address)
      }
      const { user, sid } = identity
      const change = {
        ...name !== undefined && name !== user.name && { name },
        ...handle !== undefined && handle !== user.handle && { handle }
      }
      if (Object.keys(change).length === 0) return user
      const refusal = await users.rename({ userId: user.id, sid }, change)
      if (refusal) throw new AppError(refusal.code, refusal)
      onUserChanged(user.id, change)
      return { ...user, ...change }
    },

    /**
     * Ensures that the account with this email address is an admin. Creates the account if there is none. Promotes an existing account
     * only if `password` is its password, because anyone may have registered the address first. An admin stays one, even if the account
     * has another password by now.
     * @returns null on success; otherwise why the server must not start, in one line: the account has another password and is not an
     * admin.
     */
    async ensureAdmin (given: string, password: string): Promise<string | null> {
      const email = toEmail(given)
      if (!await users.findByEmail(email)) {
        const passwordHash = await passwords.hash(password, OPERATOR)
        await users.create({ email, name: 'admin', passwordHash }).catch(unlessTaken)
      }
      const found = await users.findByEmail(email)
      if (found?.role === 'admin') return null
      const passwordHash = found?.passwordHash ?? null
      const isTheirs = await passwords.verify(passwordHash, password, uncounted)
      const isPromoted = found && passwordHash && isTheirs && await users.promote({ id: found.id, passwordHash })
      return isPromoted ? null : foreignAccount(email)
    },

    /** Erases the user's own account. @throws AppError `not_authorized` and `rate_limited` as in `update`; `last_admin`. */
    async erase (actor: Actor, password: string, address: string): Promise<void> {
      await prove(actor.userId, password, address)
      await erase(actor)
    }
  }
}

/** Used in place of a client address when the server hashes or checks the admin password from its configuration. */
const OPERATOR = 'operator'
const uncounted: Attempt = { address: OPERATOR, admit: async () => {}, fail: async () => {}, succeed: async () => {} }

function foreignAccount (email: string): string {
  return `ADMIN_EMAIL: ${email} has an account already, and ADMIN_PASSWORD is not its password; ` +
    `give its password, name another address, or run "npm run admin -- promote ${email}" if you know whose account it is`
}

/** Ignores `email_taken`: another instance that starts at the same moment may have created the account. */
function unlessTaken (error: unknown): void {
  if (!(error instanceof AppError && error.code === 'email_taken')) throw error
}

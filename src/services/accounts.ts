import { AppError } from '../errors.ts'
import type { Role } from '../schemas/common.ts'
import type { UserPatch } from '../schemas/user.ts'
import type { Account, Actor, Users } from '../store/users.ts'
import type { Identity } from './auth.ts'
import { toEmail } from './email.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { Passwords } from './passwords.ts'

export interface AccountsDeps {
  users: Users
  passwords: Passwords
  throttle: LoginThrottle
  onLoginRevoked (userId: string, sid: string): void
  /** Erases the account and closes its connections with 4503. */
  erase (actor: Actor): Promise<void>
  /** The account has another name. */
  onUserChanged (userId: string, change: { name?: string, role?: Role }): void
}

export type Accounts = ReturnType<typeof createAccounts>

/** What users may do with their own accounts. Wrong passwords are throttled as at login and answered `not_authorized`. */
export function createAccounts ({ users, passwords, throttle, onLoginRevoked, erase, onUserChanged }: AccountsDeps) {
  async function prove (userId: string, password: string, address: string): Promise<string> {
    const attempt = throttle.attempt(userId, address)
    await attempt.admit()
    const passwordHash = (await users.findById(userId))?.passwordHash ?? null
    const right = await passwords.verify(passwordHash, password, attempt)
    if (!right || !passwordHash) throw new AppError('not_authorized')
    return passwordHash
  }

  async function changePassword (
    { user, sid }: Pick<Identity, 'user'> & Pick<Actor, 'sid'>, current: string, next: string, address: string
  ) {
    const from = await prove(user.id, current, address)
    const revoked = await users.changePassword({ id: user.id, sid, from, to: await passwords.hash(next) })
    for (const ended of revoked) onLoginRevoked(user.id, ended)
  }

  return {
    /**
     * Changes name, password or both; a new password ends all other logins. `address` is where the request comes from.
     * @throws AppError `not_authorized` for a wrong current password, `rate_limited` for too many of them.
     */
    async update (identity: Pick<Identity, 'user'> & Pick<Actor, 'sid'>, patch: UserPatch, address: string): Promise<Account> {
      const { name, password, current_password: current } = patch
      if (password !== undefined) {
        if (current === undefined) throw new AppError('invalid_request', { detail: 'current_password: required with password' })
        await changePassword(identity, current, password, address)
      }
      if (name === undefined || name === identity.user.name) return identity.user
      const code = await users.rename({ userId: identity.user.id, sid: identity.sid }, name)
      if (code) throw new AppError(code)
      onUserChanged(identity.user.id, { name })
      return { ...identity.user, name }
    },

    /** Makes the account an admin, and the account itself where there is none; the password of one that exists stays. */
    async ensureAdmin (email: string, password: string): Promise<void> {
      const address = toEmail(email)
      if (!await users.findByEmail(address)) {
        const made = await users.create({ email: address, name: 'admin', passwordHash: await passwords.hash(password), role: 'admin' })
          .catch(unlessTaken)
        if (made) return
      }
      const found = await users.findByEmail(address)
      if (found) await users.setRole(found.id, 'admin')
    },

    /** @throws AppError as `update`; `last_admin`. */
    async erase (actor: Actor, password: string, address: string): Promise<void> {
      await prove(actor.userId, password, address)
      await erase(actor)
    }
  }
}

/** Another instance that starts at the same moment has made the account. */
function unlessTaken (error: unknown): null {
  if (error instanceof AppError && error.code === 'email_taken') return null
  throw error
}

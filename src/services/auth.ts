import { createHmac, randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Config } from '../config-schema.ts'
import { AppError } from '../errors.ts'
import type { AccessClaims, Credentials, Login, Registered, Registration } from '../schemas/auth.ts'
import type { User } from '../schemas/user.ts'
import type { InvitationCodeStore } from '../store/invitation-codes.ts'
import type { Authenticated, ClientTrace, PresentedToken, StoredToken, Tokens } from '../store/tokens.ts'
import type { Account, InvitationRules, Users } from '../store/users.ts'
import { isAccessClaims } from './access-claims.ts'
import { createBatcher } from './batcher.ts'
import { normaliseEmail, toEmail } from './email.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { Passwords } from './passwords.ts'
import { hashOf } from './secret-hash.ts'

export interface AuthDeps {
  users: Users
  tokens: Tokens
  passwords: Passwords
  throttle: LoginThrottle
  /** Signs the claims as an access token of this server. */
  sign (claims: AccessClaims): string
  /** Returns the claims of a token that this server signed and that has not expired; throws for any other token. */
  verify (token: string): unknown
  invitationCodes: Pick<InvitationCodeStore, 'isUsable'>
  invitationRules: InvitationRules
  config: Pick<
    Config['authentication'],
    'registration' | 'require_verified_email' | 'token_expiry' | 'refresh_token_expiry' | 'refresh_window' | 'max_logins'
  >
  /** Mails a code that verifies the address [P76]; does nothing where no mail server is configured. */
  mailVerification (email: string, address: string): void
  /** Called when a login has ended, so that its connections close with 4504. */
  onLoginRevoked (userId: string, sid: string): void
}

/** An authenticated user, the id (`sid`) of the login they use, and when their access token expires (Unix milliseconds). */
export interface Identity { user: Authenticated, sid: string, expiresAt: number }

/** The client that logs in or refreshes. `address` is the key of its limits. */
export interface Client extends ClientTrace { address: string }

export type Auth = ReturnType<typeof createAuth>

/** Logins, access tokens and refresh tokens. All wrong credentials and tokens give the same error: `authentication_failed` [P12]. */
export function createAuth (deps: AuthDeps) {
  const { users, tokens, passwords, throttle, invitationCodes, invitationRules, sign, verify, config } = deps
  const { mailVerification, onLoginRevoked } = deps
  /** Looks up logins in batches, so that many clients that reconnect at once cost a few database round trips. */
  const findLogin = createBatcher(tokens.findLogins)

  /** Admins need no verified address, so that the setting locks no operator out [P76]. */
  const isUnverified = ({ role, emailVerifiedAt }: Account): boolean =>
    config.require_verified_email && emailVerifiedAt === null && role !== 'admin'

  async function startLogin (account: Account, passwordHash: string, client: Client): Promise<Login> {
    const sid = uuidv7()
    const value = randomBytes(32).toString('base64url')
    const token = toStored(value)
    const ended = await tokens.start({ userId: account.id, sid, passwordHash, token, maxLogins: config.max_logins, client })
    if (ended === null) throw new AppError('authentication_failed')
    for (const other of ended) onLoginRevoked(account.id, other)
    return toLogin(account, sid, value, config.refresh_token_expiry)
  }

  function toStored (value: string): StoredToken {
    return { hash: hashOf(value), salt: randomBytes(16), lifetime: config.refresh_token_expiry }
  }

  function toLogin (account: Account, sid: string, refreshToken: string, refreshExpiresIn: number): Login {
    const iat = Math.floor(Date.now() / 1000)
    const accessToken = sign({ user_id: account.id, email: account.email, typ: 'access', sid, iat, exp: iat + config.token_expiry })
    return {
      user: toUser(account),
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: config.token_expiry,
      refresh_token: refreshToken,
      refresh_expires_in: refreshExpiresIn
    }
  }

  /**
   * Handles a refresh token that was used `usedFor` seconds ago. Two tabs may refresh at once, and the answer to a refresh may be lost, so
   * the token gives the same successor for `refresh_window`, and as long as nobody has used the successor. Any later use may be theft of
   * the token, and ends the login [P61].
   */
  async function replay ({ account, sid }: PresentedToken, usedFor: number, successor: string): Promise<Login> {
    const next = await tokens.findSuccessor(hashOf(successor))
    const isAllowed = next !== null && (!next.used || usedFor < config.refresh_window)
    if (isAllowed && next.remaining >= 0) return toLogin(account, sid, successor, next.remaining)
    if (!isAllowed && await tokens.revoke(sid)) onLoginRevoked(account.id, sid)
    throw new AppError('authentication_failed')
  }

  /** @throws AppError `authentication_failed` if the token is not an access token of this server or has expired. */
  function readAccess (token: string): AccessClaims {
    try {
      const claims = verify(token)
      if (isAccessClaims(claims)) return { ...claims, user_id: claims.user_id.toLowerCase(), sid: claims.sid.toLowerCase() }
    } catch {
      // The client does not learn what is wrong with the token.
    }
    throw new AppError('authentication_failed')
  }

  return {
    /**
     * Makes an account and logs in. An invitation code that is given must be valid, also where none is needed [P64]. Where the address has
     * to be verified first, it returns the account without a login [P76].
     * @throws AppError `registration_closed`, `invalid_invitation_code`, `email_taken`, `handle_taken`, `invalid_request`, `rate_limited`,
     * `busy`.
     */
    async register (registration: Registration, client: Client): Promise<Login | Registered> {
      const { email: given, name, handle = null, password, invitation_code: code } = registration
      if (config.registration === 'closed') throw new AppError('registration_closed')
      const email = toEmail(given)
      await throttle.register(client.address)
      const codeHash = code === undefined ? null : hashOf(code)
      // Who has no valid code costs no hash of a password, and does not learn which addresses have accounts.
      const isInvited = codeHash === null ? config.registration === 'open' : await invitationCodes.isUsable(codeHash)
      if (!isInvited) throw new AppError('invalid_invitation_code')
      if (await users.findByEmail(email)) throw new AppError('email_taken')
      const passwordHash = await passwords.hash(password, client.address)
      const account = await users.register({ email, name, handle, passwordHash, codeHash }, invitationRules)
      mailVerification(email, client.address)
      return isUnverified(account) ? { user: toUser(account) } : startLogin(account, passwordHash, client)
    },

    /** @throws AppError `authentication_failed`, `email_not_verified`, `rate_limited`, `busy`. */
    async login ({ email, password }: Credentials, client: Client): Promise<Login> {
      const account = normaliseEmail(email)
      const attempt = throttle.attempt(account, client.address)
      await attempt.admit()
      const found = await users.findByEmail(account)
      const right = await passwords.verify(found?.passwordHash ?? null, password, attempt)
      if (!found?.passwordHash || !right) throw new AppError('authentication_failed')
      if (isUnverified(found)) {
        mailVerification(account, client.address)
        throw new AppError('email_not_verified')
      }
      return startLogin(found, found.passwordHash, client)
    },

    /**
     * Exchanges a refresh token for its successor and a new access token. The successor is derived from the token and the salt in its
     * database row, so that a second request with the token gets the same successor although neither token is stored [P61].
     */
    async refresh (value: string, client: ClientTrace): Promise<Login> {
      const hash = hashOf(value)
      const presented = await tokens.find(hash)
      if (!presented || presented.revoked || presented.disabled) throw new AppError('authentication_failed')
      if (isUnverified(presented.account)) throw new AppError('email_not_verified')
      const successor = createHmac('sha256', value).update(presented.salt).digest('base64url')
      if (presented.usedFor !== null) return replay(presented, presented.usedFor, successor)
      if (presented.expired) throw new AppError('authentication_failed')
      if (await tokens.rotate(hash, toStored(successor), client)) {
        return toLogin(presented.account, presented.sid, successor, config.refresh_token_expiry)
      }
      const again = await tokens.find(hash)
      if (!again || again.usedFor === null || again.revoked || again.disabled) throw new AppError('authentication_failed')
      return replay(again, again.usedFor, successor)
    },

    /** Ends the login that the refresh token belongs to, even if the login has newer tokens. */
    async logout (value: string): Promise<void> {
      const presented = await tokens.find(hashOf(value))
      if (!presented) throw new AppError('authentication_failed')
      if (await tokens.revoke(presented.sid)) onLoginRevoked(presented.account.id, presented.sid)
    },

    readAccess,

    /** Verifies an access token: signed by this server, not expired, login not revoked, user neither gone nor disabled [P12]. */
    async verifyAccess (token: string): Promise<Identity> {
      const { user_id: userId, sid, exp } = readAccess(token)
      const user = await findLogin({ userId, sid })
      if (!user) throw new AppError('authentication_failed')
      return { user, sid, expiresAt: exp * 1000 }
    }
  }
}

/** An account as its own user sees it. */
export function toUser ({ id, email, emailVerifiedAt, name, handle, role, createdAt }: Account): User {
  return { id, email, email_verified: emailVerifiedAt !== null, name, handle, role, created_at: createdAt.toISOString() }
}

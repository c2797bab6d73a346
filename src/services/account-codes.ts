import { randomBytes } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { PasswordReset, ResetCode } from '../schemas/account-code.ts'
import { isMailable } from '../smtp-settings.ts'
import type { AccountCodeStore } from '../store/account-codes.ts'
import type { Actor } from '../store/users.ts'
import { normaliseEmail } from './email.ts'
import type { LoginThrottle } from './login-throttle.ts'
import type { MailQueue } from './mail-queue.ts'
import { resetMail, verificationMail } from './mails.ts'
import type { Passwords } from './passwords.ts'
import { hashOf } from './secret-hash.ts'

/** Random bytes of a code. */
const CODE_BYTES = 20
/** Seconds that a code lasts which resets a password. */
const RESET_LIFETIME = 3600

/** The codes that are mailed: what the mail says, the page that its link leads to, and the seconds that the code lasts. */
const mailed = {
  mailed_reset: { write: resetMail, page: 'reset', lifetime: RESET_LIFETIME },
  verification: { write: verificationMail, page: 'verify', lifetime: 86_400 }
} as const

export interface AccountCodesDeps {
  store: AccountCodeStore
  passwords: Passwords
  throttle: Pick<LoginThrottle, 'attempt' | 'mail'>
  /** Null where no mail server is configured. */
  mails: MailQueue | null
  /** Where people reach the pages of this server; undefined if that is not known. */
  publicUrl: string | undefined
  onLoginRevoked (userId: string, sid: string): void
  onFault (error: unknown): void
}

export type AccountCodes = ReturnType<typeof createAccountCodes>

/** Codes that reset a forgotten password [P75] and that verify an email address [P76]. */
export function createAccountCodes ({ store, passwords, throttle, mails, publicUrl, onLoginRevoked, onFault }: AccountCodesDeps) {
  /**
   * Queues a mail with a code. All accounts and addresses do the same work here: whether the account exists, and needs the mail, is looked
   * up when the mail has its turn.
   */
  async function queue (kind: keyof typeof mailed, email: string, address: string): Promise<void> {
    if (!mails) throw new AppError('not_found')
    await throttle.mail(email, address)
    const { write, page, lifetime } = mailed[kind]
    mails.add(async () => {
      const code = createCode()
      const isWanted = isMailable(email) && await store.mail(kind, email, { hash: hashOf(code), lifetime })
      return isWanted ? write(email, { code, link: linkOf(publicUrl, page, code) }) : null
    })
  }

  /** Takes a code. A wrong one counts towards the limits of wrong passwords of the address. `take` returns null for a wrong one. */
  async function useCode<T> (code: string, address: string, take: (hash: Uint8Array<ArrayBuffer>) => Promise<T | null>): Promise<T> {
    const attempt = throttle.attempt(code, address)
    await attempt.admit()
    const result = await take(hashOf(code))
    await (result === null ? attempt.fail() : attempt.succeed())
    if (result === null) throw new AppError('invalid_code')
    return result
  }

  return {
    /** Makes a code on behalf of an admin. @throws AppError `user_not_found`, `not_authorized`. */
    give: (actor: Actor, targetId: string): Promise<ResetCode> => giveResetCode({ store, publicUrl }, actor, targetId),

    /**
     * Mails a code that resets the password of this account, if there is one. The answer does not wait for that, and does not depend on it.
     * @throws AppError `not_found` where no mail server is configured, `rate_limited`, `busy`.
     */
    forgot: (email: string, address: string): Promise<void> => queue('mailed_reset', normaliseEmail(email), address),

    /** Sets a new password by a code and ends all logins of its user. @throws AppError `invalid_code`, `rate_limited`, `busy`. */
    async reset ({ code, password }: PasswordReset, address: string): Promise<void> {
      const { userId, ended } = await useCode(code, address, async hash => {
        // Who has no valid code costs no hash of a password.
        if (!await store.resets(hash)) return null
        return store.reset(hash, await passwords.hash(password, address))
      })
      for (const sid of ended) onLoginRevoked(userId, sid)
    },

    /** Marks the address of the code's user as verified. @throws AppError `invalid_code`, `rate_limited`. */
    async verify (code: string, address: string): Promise<void> {
      await useCode(code, address, async hash => await store.verify(hash) || null)
    },

    /**
     * Mails a code that verifies the address of this user, unless it is verified.
     * @throws AppError `not_found` where no mail server is configured, `rate_limited`, `busy`.
     */
    askVerification: (email: string, address: string): Promise<void> => queue('verification', email, address),

    /** Does the same for somebody who did not ask for the mail: the limits may prevent it. */
    mailVerification (email: string, address: string): void {
      if (!mails) return
      queue('verification', email, address).catch(error => {
        if (!(error instanceof AppError)) onFault(error)
      })
    }
  }
}

/**
 * Makes a code that resets the password of a user. `actor` is null for the operator at the command line.
 * @throws AppError `user_not_found`, `not_authorized` for the actor's own account and for a disabled one.
 */
export async function giveResetCode (
  { store, publicUrl }: Pick<AccountCodesDeps, 'store' | 'publicUrl'>, actor: Actor | null, targetId: string
): Promise<ResetCode> {
  const code = createCode()
  const outcome = await store.give(actor, targetId, { hash: hashOf(code), lifetime: RESET_LIFETIME })
  if (outcome.code !== null) throw new AppError(outcome.code)
  return { code, link: linkOf(publicUrl, 'reset', code), expires_at: outcome.expiresAt.toISOString() }
}

function createCode (): string {
  return randomBytes(CODE_BYTES).toString('base64url')
}

/** Browsers do not send what follows the #, so the code gets into no log of a server. */
function linkOf (publicUrl: string | undefined, page: 'reset' | 'verify', code: string): string | null {
  return publicUrl === undefined ? null : `${publicUrl.replace(/\/+$/, '')}/${page}#code=${code}`
}

import { createHash } from 'node:crypto'
import type { Config } from '../config-schema.ts'
import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { Attempt } from './passwords.ts'
import { countOne, HOUR_MS, MINUTE_MS } from './window-limit.ts'

/** Wrong passwords per minute: for one account from one address (`pair`), and for all accounts from one address. */
const WRONG = { pair: 10, address: 50 }
/** Logins with the right password per minute, counted as in `WRONG`. Many people may share an address, but each logs in a few times. */
const RIGHT = { pair: 60, address: 600 }
/** Registrations per minute from one address, failed ones included: each may hash a password or reveal whether an email is taken. */
const REGISTRATIONS = 300

export interface LoginThrottleDeps {
  counters: Pick<Counters, 'add' | 'read'>
  /** Where limits are not enabled, only wrong passwords and codes are limited. */
  limits: Pick<Config['limits'], 'enabled' | 'address_guests' | 'address_mails' | 'account_mails'>
}

interface Limit { key: string, most: number }

export type LoginThrottle = ReturnType<typeof createLoginThrottle>

/** Limits logins by account and address, registrations and guests by address: for the whole cluster, if `counters` are shared [P56]. */
export function createLoginThrottle ({ counters, limits }: LoginThrottleDeps) {
  async function count (limits: Limit[]): Promise<void> {
    await Promise.all(limits.map(({ key }) => counters.add(key, MINUTE_MS)))
  }

  /** @throws AppError `rate_limited`. */
  async function take ({ key, most }: Limit, window = MINUTE_MS): Promise<void> {
    if (limits.enabled) await countOne(counters, key, most, window)
  }

  return {
    /** Counts a registration. @throws AppError `rate_limited`. */
    register: (address: string) => take({ key: `registrations:${address}`, most: REGISTRATIONS }),

    /** Counts a new guest [P16]. @throws AppError `rate_limited`. */
    guest: (address: string) => take({ key: `guests:${address}`, most: limits.address_guests }),

    /**
     * Counts a mail to an account, which need not exist. Mails are counted by address first, so that one address cannot use up the mails of
     * many accounts. @throws AppError `rate_limited`.
     */
    async mail (account: string, address: string): Promise<void> {
      await take({ key: `mails:${address}`, most: limits.address_mails })
      await take({ key: `mails:${fingerprint(account)}`, most: limits.account_mails }, HOUR_MS)
    },

    /**
     * Begins a check of a password or code. `account` names the account, which need not exist, or is the code. `admit` throws AppError
     * `rate_limited`.
     */
    attempt (account: string, address: string): Attempt {
      const limitsOf = (kind: string, { pair, address: most }: typeof WRONG): Limit[] => [
        { key: `${kind}:${address} ${fingerprint(account)}`, most: pair },
        { key: `${kind}:${address}`, most }
      ]
      const wrong = limitsOf('wrong', WRONG)
      const right = limits.enabled ? limitsOf('right', RIGHT) : []
      return {
        address,
        async admit () {
          const waits = await Promise.all([...wrong, ...right].map(async ({ key, most }) => {
            const { current, ttl } = await counters.read(key)
            return current >= most ? ttl : 0
          }))
          const wait = Math.max(...waits)
          if (wait > 0) throw new AppError('rate_limited', { retryAfterMs: wait })
        },
        fail: () => count(wrong),
        succeed: () => count(right)
      }
    }
  }
}

/** Hashes an account's email address for use in a key, because keys may be stored in Redis. */
function fingerprint (account: string): string {
  return createHash('sha256').update(account).digest('base64url')
}

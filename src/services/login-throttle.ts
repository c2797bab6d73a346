import { createHash } from 'node:crypto'
import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'
import type { Attempt } from './passwords.ts'

/** What may happen within a minute. */
const WINDOW_MS = 60_000
const WRONG = { pair: 10, address: 50 }
/** Many people may share an address; one of them logs in a few times. */
const RIGHT = { pair: 60, address: 600 }
/** However they end: each may hash a password, or tell whether an email address is taken. */
const REGISTRATIONS = 300

export interface LoginThrottleDeps {
  counters: Pick<Counters, 'add' | 'read'>
  /** Whether right passwords and registrations have limits too. */
  limitAll: boolean
}

interface Limit { key: string, most: number }

export type LoginThrottle = ReturnType<typeof createLoginThrottle>

/** Counts right and wrong passwords, and registrations, by address: for the whole cluster, where the counters do [P56]. */
export function createLoginThrottle ({ counters, limitAll }: LoginThrottleDeps) {
  async function count (limits: Limit[]): Promise<void> {
    await Promise.all(limits.map(({ key }) => counters.add(key, WINDOW_MS)))
  }

  return {
    /** Counts a registration. @throws AppError `rate_limited`. */
    async register (address: string): Promise<void> {
      if (!limitAll) return
      const { current, ttl } = await counters.add(`registrations:${address}`, WINDOW_MS)
      if (current > REGISTRATIONS) throw new AppError('rate_limited', { retryAfterMs: ttl })
    },

    /** `account` is whatever is being guessed at, known or not; `admit` throws AppError `rate_limited`. */
    attempt (account: string, address: string): Attempt {
      const limitsOf = (kind: string, { pair, address: most }: typeof WRONG): Limit[] => [
        { key: `${kind}:${address} ${fingerprint(account)}`, most: pair },
        { key: `${kind}:${address}`, most }
      ]
      const wrong = limitsOf('wrong', WRONG)
      const right = limitAll ? limitsOf('right', RIGHT) : []
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

/** Keys may stand in Redis, and an account is named by its email address. */
function fingerprint (account: string): string {
  return createHash('sha256').update(account).digest('base64url')
}

import { RateLimiterMemory } from 'rate-limiter-flexible'
import { AppError } from '../errors.ts'
import type { Attempt } from './passwords.ts'

/** Failed attempts within a minute before further ones are refused unseen. */
const PER_ACCOUNT_AND_ADDRESS = 10
const PER_ADDRESS = 50
/** Registrations within a minute, however they end: each may hash a password, or tell whether an address is taken. */
const REGISTRATIONS_PER_ADDRESS = 300

export type LoginThrottle = ReturnType<typeof createLoginThrottle>

/** Counts wrong passwords and registrations, on this instance. Right passwords cost nothing: many users may share an address. */
export function createLoginThrottle ({ limitRegistrations = true } = {}) {
  const pairs = new RateLimiterMemory({ keyPrefix: 'pair', points: PER_ACCOUNT_AND_ADDRESS, duration: 60 })
  const addresses = new RateLimiterMemory({ keyPrefix: 'address', points: PER_ADDRESS, duration: 60 })

  const registrations = new RateLimiterMemory({ keyPrefix: 'registration', points: REGISTRATIONS_PER_ADDRESS, duration: 60 })

  return {
    /** Counts a registration. @throws AppError `rate_limited`. */
    async register (address: string): Promise<void> {
      if (!limitRegistrations) return
      const state = await registrations.penalty(address)
      if (state.consumedPoints > registrations.points) throw new AppError('rate_limited', { retryAfterMs: state.msBeforeNext })
    },

    /** `account` is whatever is being guessed at, known or not; `admit` throws AppError `rate_limited`. */
    attempt (account: string, address: string): Attempt {
      const counters = [{ limiter: pairs, key: `${address} ${account}` }, { limiter: addresses, key: address }]
      return {
        async admit () {
          for (const { limiter, key } of counters) {
            const state = await limiter.get(key)
            if (state && state.consumedPoints >= limiter.points) throw new AppError('rate_limited', { retryAfterMs: state.msBeforeNext })
          }
        },
        async fail () {
          for (const { limiter, key } of counters) await limiter.penalty(key)
        }
      }
    }
  }
}

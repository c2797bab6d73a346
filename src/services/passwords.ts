import { hash, verify } from '@node-rs/argon2'
import { AppError } from '../errors.ts'

/** The library's default algorithm is argon2id. `memoryCost` in KiB. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody knows: what an unknown user's is compared with, so that it takes as long. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$n/Doht9d3rVmyxlNIO76Gg$no9e6jyVS64OzQdTLWuZ5sHFJTdkY4rQGvP3GJGDFDA'

/** A check that is counted: `admit` is asked when its turn has come and may throw, `fail` is told of a wrong password. */
export interface Attempt {
  admit (): Promise<void>
  fail (): Promise<void>
}

export type Passwords = ReturnType<typeof createPasswords>

/**
 * Hashes and compares passwords, `concurrency` at a time: each takes tens of milliseconds on one of libuv's four threads, which
 * files and name look-ups need as well. Beyond `maxWaiting` waiting, a call throws AppError `busy`.
 */
export function createPasswords ({ concurrency = 2, maxWaiting = 100 } = {}) {
  let running = 0
  const waiting: Array<() => void> = []

  async function inTurn<T> (work: () => Promise<T>): Promise<T> {
    if (running < concurrency) running++
    else if (waiting.length >= maxWaiting) throw new AppError('busy')
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  return {
    hash: (password: string) => inTurn(() => hash(password, cost)),

    /** `stored` null: no such user, or one without a password. The answer is false, after the same work. */
    verify: (stored: string | null, password: string, attempt: Attempt) => inTurn(async () => {
      await attempt.admit()
      const right = await verify(stored ?? nobodysHash, password) && stored !== null
      if (!right) await attempt.fail()
      return right
    })
  }
}

import { hash, verify } from '@node-rs/argon2'
import { createFairQueue } from './fair-queue.ts'

/** The library's default algorithm is argon2id. `memoryCost` in KiB. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Of a password that nobody knows: what an unknown user's is compared with, so that it takes as long. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$n/Doht9d3rVmyxlNIO76Gg$no9e6jyVS64OzQdTLWuZ5sHFJTdkY4rQGvP3GJGDFDA'

/** A check that is counted: `admit` is asked when its turn has come and may throw, the others are told how it ended. */
export interface Attempt {
  /** Where it comes from: addresses take turns. */
  address: string
  admit (): Promise<void>
  fail (): Promise<void>
  succeed (): Promise<void>
}

export type Passwords = ReturnType<typeof createPasswords>

/**
 * Hashes and compares passwords, `concurrency` at a time: each takes tens of milliseconds on one of libuv's four threads, which
 * files and name look-ups need as well. Addresses take turns [P56]; beyond `maxWaiting` of all and `maxWaitingOfOne` of an address, a call
 * throws AppError `busy`.
 */
export function createPasswords ({ concurrency = 2, maxWaiting = 400, maxWaitingOfOne = 100 } = {}) {
  const inTurn = createFairQueue({ concurrency, maxWaiting, maxWaitingOfOne })

  return {
    /** `address` is where the request comes from. */
    hash: (password: string, address: string) => inTurn(address, () => hash(password.normalize('NFC'), cost)),

    /** `stored` null: no such user, or one without a password. The answer is false, after the same work. */
    verify: (stored: string | null, password: string, attempt: Attempt) => inTurn(attempt.address, async () => {
      await attempt.admit()
      const isRight = await matches(stored ?? nobodysHash, password) && stored !== null
      await (isRight ? attempt.succeed() : attempt.fail())
      return isRight
    })
  }
}

/**
 * Compares after normalisation: "é" is one code point from one keyboard and two from another [P56]. Hashes from before passwords were
 * normalised are of one of the other forms, so those are tried too: most passwords have one form only.
 */
async function matches (stored: string, password: string): Promise<boolean> {
  const forms = new Set([password.normalize('NFC'), password.normalize('NFD'), password])
  for (const form of forms) if (await verify(stored, form)) return true
  return false
}

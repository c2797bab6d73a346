import { hash, verify } from '@node-rs/argon2'
import { createFairQueue } from './fair-queue.ts'

/** Cost of argon2id, the library's default algorithm. `memoryCost` is in KiB. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hash of a password that nobody knows. It stands in for the hash of an unknown user, so that the answer takes as long. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$n/Doht9d3rVmyxlNIO76Gg$no9e6jyVS64OzQdTLWuZ5sHFJTdkY4rQGvP3GJGDFDA'

/** A password check that counts towards limits. `admit` is called before it and may throw; `fail` or `succeed` is called after it. */
export interface Attempt {
  /** The client's address. Addresses take turns. */
  address: string
  admit (): Promise<void>
  fail (): Promise<void>
  succeed (): Promise<void>
}

export type Passwords = ReturnType<typeof createPasswords>

/**
 * Hashes and compares passwords, `concurrency` at a time: each takes tens of milliseconds on one of libuv's four threads, which file
 * access and name look-ups need as well. Addresses take turns [P56]. When `maxWaiting` calls wait, or `maxWaitingOfOne` of one address, a
 * call throws AppError `busy`.
 */
export function createPasswords ({ concurrency = 2, maxWaiting = 400, maxWaitingOfOne = 100 } = {}) {
  const inTurn = createFairQueue({ concurrency, maxWaiting, maxWaitingOfOne })

  return {
    /** `address` is the client's address. */
    hash: (password: string, address: string) => inTurn(address, () => hash(password.normalize('NFC'), cost)),

    /** Whether `password` belongs to the hash `stored`. Null (no such user, or no password) gives false after the same work. */
    verify: (stored: string | null, password: string, attempt: Attempt) => inTurn(attempt.address, async () => {
      await attempt.admit()
      const isRight = await matches(stored ?? nobodysHash, password) && stored !== null
      await (isRight ? attempt.succeed() : attempt.fail())
      return isRight
    })
  }
}

/**
 * Compares a password after Unicode normalisation: "é" is one code point from one keyboard and two from another [P56]. A hash that was
 * made before passwords were normalised may be of another form, so all forms are tried. Most passwords have only one.
 */
async function matches (stored: string, password: string): Promise<boolean> {
  const forms = new Set([password.normalize('NFC'), password.normalize('NFD'), password])
  for (const form of forms) if (await verify(stored, form)) return true
  return false
}

import { AppError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'

/** Prisma's codes for a database that is away, too slow, or gave this statement up for another. */
const unavailableCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])

/**
 * SQLSTATEs of a statement that failed for no fault of its own: connection, resources (a full disk too), operator intervention,
 * lock time-out, serialization, a transaction that was ended for idling.
 */
const unavailableStates = /^(08|53|57|55P03|40001|40P01|25P03)/

/** What the driver says of a connection that is lost or never came; it gives these no code. */
const lostConnection =
  /connection terminated|connection timeout|query read timeout|timeout exceeded|connection error|client has encountered|closed the connection|ECONN|EPIPE/i

/**
 * Says what a failed call to the database means: `unavailable` where the same call may succeed later, otherwise the error itself.
 * After `unavailable` a write may or may not have happened.
 */
export function toStoreError (error: unknown): unknown {
  if (error instanceof AppError || !isUnavailable(error)) return error
  return Object.assign(new AppError('unavailable', { retryAfterMs: 1000 }), { cause: error })
}

/** True where a write failed because a row with this unique value is there already. */
export function isUniqueViolation (error: unknown): boolean {
  return errorCode(error) === 'P2002' || sqlState(error) === '23505'
}

type Calls = Record<string, (...args: never[]) => Promise<unknown>>

/** The same functions, failing as `toStoreError` says. */
export function withStoreErrors<T extends Calls> (calls: T): T {
  const guarded = Object.entries(calls).map(([name, call]) => [name, async (...args: never[]) => {
    try {
      return await call(...args)
    } catch (error) {
      throw toStoreError(error)
    }
  }])
  return Object.fromEntries(guarded) as T
}

function isUnavailable (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return unavailableCodes.has(errorCode(error) ?? '') || unavailableStates.test(sqlState(error) ?? '') ||
    error instanceof Prisma.PrismaClientInitializationError || lostConnection.test(error.message)
}

function errorCode (error: unknown): string | undefined {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : undefined
}

/** Of a raw query's error, which Prisma reports as P2010 with the driver's error inside, or of the driver's own. */
function sqlState (error: unknown): string | undefined {
  if (error instanceof Prisma.PrismaClientKnownRequestError) {
    const { driverAdapterError } = (error.meta ?? {}) as { driverAdapterError?: { cause?: { originalCode?: string } } }
    return driverAdapterError?.cause?.originalCode
  }
  const { code, cause } = error as { code?: unknown, cause?: { originalCode?: string } }
  return cause?.originalCode ?? (typeof code === 'string' ? code : undefined)
}

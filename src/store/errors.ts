import { AppError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'

/** Prisma's codes for a database that is away, too slow, or gave this statement up for another. */
const unavailableCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])

/**
 * SQLSTATEs of a statement that failed for no fault of its own: connection, resources (a full disk too), operator intervention,
 * faults of the system under the database, lock time-out, serialization, a transaction that was ended for idling, a database that
 * only reads for now.
 */
const unavailableStates = /^(08|53|57|58|55P03|40001|40P01|25P03|25006)/

/** The same in a driver adapter's words, where a raw query met no server that could have given a SQLSTATE. */
const unavailableKinds = new Set([
  'DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections', 'TransactionWriteConflict'
])

/** What the driver says of a connection that is lost or never came; it gives these no code. */
const lostConnection =
  /connection terminated|connection timeout|query read timeout|timeout exceeded|connection error|has encountered a connection|ECONN|EPIPE/i

/**
 * Says what a failed call to the database means: `unavailable` where the same call may succeed later, otherwise the error itself.
 * After `unavailable` a write may or may not have happened.
 */
export function toStoreError (error: unknown): unknown {
  if (error instanceof AppError || !isUnavailable(error)) return error
  return Object.assign(new AppError('unavailable'), { cause: error })
}

/** True where a write failed because a row with this unique value is there already. */
export function isUniqueViolation (error: unknown): boolean {
  return prismaCode(error) === 'P2002' || driverCause(error).originalCode === '23505'
}

/** True where a statement gave up waiting for a lock: it has done nothing. */
export function isLockTimeout (error: unknown): boolean {
  return driverCause(error).originalCode === '55P03'
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
  const { kind, originalCode } = driverCause(error)
  return unavailableCodes.has(prismaCode(error) ?? '') || unavailableKinds.has(kind ?? '') || unavailableStates.test(originalCode ?? '') ||
    error instanceof Prisma.PrismaClientInitializationError || lostConnection.test(`${error.message} ${originalCode ?? ''}`)
}

function prismaCode (error: unknown): string | undefined {
  return error instanceof Prisma.PrismaClientKnownRequestError ? error.code : undefined
}

interface DriverCause { kind?: string, originalCode?: string }

/**
 * What the driver said: inside Prisma's error for a query of either kind, thrown as it is between the statements of a
 * transaction, or as the driver's own error with its code.
 */
function driverCause (error: unknown): DriverCause {
  const { meta, cause, code } = error as { meta?: { driverAdapterError?: { cause?: DriverCause } }, cause?: DriverCause, code?: string }
  return meta?.driverAdapterError?.cause ?? cause ?? (code === undefined ? {} : { originalCode: code })
}

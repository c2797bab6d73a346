import { AppError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'

/** Prisma's codes for a database that is unreachable or too slow, or that aborted the statement in favour of a concurrent one. */
const unavailableCodes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'])

/** SQLSTATE of a write on a standby, or where `default_transaction_read_only` is on. */
export const READ_ONLY = '25006'

/**
 * SQLSTATEs of failures that the statement itself did not cause: connection, resources (also a full disk), operator intervention, system
 * error under the database, lock time-out, serialization failure, deadlock, idle-in-transaction time-out, read-only database.
 */
const unavailableStates = /^(08|53|57|58|55P03|40001|40P01|25P03|25006)/

/** The driver adapter's names of failures that may pass, for raw queries that reached no server and therefore have no SQLSTATE. */
const unavailableKinds = new Set([
  'DatabaseNotReachable', 'ConnectionClosed', 'SocketTimeout', 'TooManyConnections', 'TransactionWriteConflict'
])

/** Driver messages about connections that were lost or never opened (for example, no file descriptor was free). They have no code. */
const lostConnection = new RegExp([
  'connection terminated', 'connection timeout', 'query read timeout', 'timeout exceeded', 'timeout expired', 'connection error',
  'has encountered a connection', 'ECONN', 'EPIPE', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL',
  'getaddrinfo'
].join('|'), 'i')

/**
 * Translates the error of a failed database call: to `unavailable` where the same call may succeed later, otherwise to the error itself.
 * After `unavailable`, a write may or may not have happened.
 */
export function toStoreError (error: unknown): unknown {
  if (error instanceof AppError || !isUnavailable(error)) return error
  return Object.assign(new AppError('unavailable'), { cause: error })
}

/** Checks whether a write failed because a row with the same unique value exists already. */
export function isUniqueViolation (error: unknown): boolean {
  return prismaCode(error) === 'P2002' || driverCause(error).originalCode === '23505'
}

/** Checks whether a statement failed because it waited too long for a lock. Such a statement has changed nothing. */
export function isLockTimeout (error: unknown): boolean {
  return driverCause(error).originalCode === '55P03'
}

type Calls = Record<string, (...args: never[]) => Promise<unknown>>

/** Wraps functions so that `toStoreError` translates their errors. */
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
 * Finds the driver's details of an error. Prisma wraps them in its own error for model queries and raw queries; between the statements of
 * a transaction the driver adapter's error comes unwrapped; queries without Prisma fail with the driver's own error and its code.
 */
function driverCause (error: unknown): DriverCause {
  const { meta, cause, code } = error as { meta?: { driverAdapterError?: { cause?: DriverCause } }, cause?: DriverCause, code?: string }
  return meta?.driverAdapterError?.cause ?? cause ?? (code === undefined ? {} : { originalCode: code })
}

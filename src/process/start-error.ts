import { ConfigError } from '../config-error.ts'
import { AppError } from '../errors.ts'
import { DatabaseError, reasonOf } from '../store/database-error.ts'

/** The server cannot start. The message gives the reason in one line. */
export class StartError extends Error {}

/** Errors whose message is written for the operator. */
const EXPECTED = [ConfigError, DatabaseError, StartError]

const DATABASE_HINT = 'look at its log and at DATABASE_URL'
/** Advice for errors of the system, by Node's code. The message of such an error names the file or the address. */
const HINTS: Record<string, string> = {
  EACCES: 'may this user do that?',
  EPERM: 'may this user do that?',
  EROFS: 'is the disk mounted read-only?',
  ENOSPC: 'the disk is full',
  EMFILE: 'raise the limit of open files (ulimit -n, LimitNOFILE)',
  ENFILE: 'the machine has too many open files',
  ECONNREFUSED: 'does a server run at this address?',
  ECONNRESET: 'does the right server run at this address?',
  ETIMEDOUT: 'can this machine reach the address?',
  EHOSTUNREACH: 'can this machine reach the address?',
  ENOTFOUND: 'is the host name right?',
  EAI_AGAIN: 'does this machine have a name server?'
}

/**
 * Prints one line that says why the server could not start, or why a command failed, and what to look at. If the error's message is not
 * written for the operator, `withStack` adds its stack and the stacks of its causes.
 */
export function printFailure (error: unknown, withStack: boolean): void {
  console.error(`parley: ${lineOf(error).replace(/\s*\n\s*/g, ' ')}`)
  if (!withStack || isExpected(error)) return
  for (let cause = error; cause instanceof Error; cause = cause.cause) console.error(cause.stack)
}

function isExpected (error: unknown): boolean {
  return EXPECTED.some(type => error instanceof type)
}

function lineOf (error: unknown): string {
  if (!(error instanceof Error)) return `stopped by ${reasonOf(error)}`
  if (isExpected(error)) return error.message
  const { code = '', syscall, cause } = error as NodeJS.ErrnoException
  if (error instanceof AppError) {
    const reason = cause instanceof Error ? `: ${answerOf(cause) ?? reasonOf(cause)}` : ''
    return error.code === 'unavailable' ? `the database cannot be used${reason}; ${DATABASE_HINT}` : error.message + reason
  }
  // During the start, hooks and plugins wait only for these.
  if (/^(FST|AVV)_ERR_\w*TIMEOUT$/.test(code)) {
    return `the start took too long; look at the load of the database, of Redis and of this machine (${reasonOf(error)})`
  }
  const answer = answerOf(error)
  if (answer !== null) return `the database refuses: ${answer}; ${DATABASE_HINT}`
  if (syscall !== undefined || code in HINTS) return `${reasonOf(error)}${code in HINTS ? `; ${HINTS[code]}` : ''}`
  return `stopped by a fault of the program: ${error.name}: ${reasonOf(error)} (LOG_LEVEL=debug shows where)`
}

interface PrismaMeta { driverAdapterError?: { cause?: { originalMessage?: string } } }

/** Returns the database's answer if the error has one: errors of a driver have a severity, and Prisma wraps such errors. */
function answerOf (error: Error): string | null {
  const { name, severity, meta } = error as Error & { severity?: string, meta?: PrismaMeta }
  if (severity === undefined && !/^PrismaClient(KnownRequest|UnknownRequest|Initialization)Error$/.test(name)) return null
  return meta?.driverAdapterError?.cause?.originalMessage ?? reasonOf(error)
}

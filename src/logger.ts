import { pino, type DestinationStream, type Logger } from 'pino'

/** Longest chain of causes that is logged: the error, its cause, the cause's cause and so on. */
const MAX_CAUSES = 4

/** Creates a logger that writes JSON lines, by default to the standard output. */
export function createLogger (level: string, destination?: DestinationStream): Logger {
  return pino({ level, serializers: { err: (error: unknown) => describe(error, MAX_CAUSES) } }, destination)
}

/**
 * Keeps only those properties of an error that are known to be harmless. In other properties, drivers keep a row's values, a command's
 * arguments or a request's bytes: messages, passwords and tokens may be among them.
 */
function describe (error: unknown, depth: number): object {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const { name, message, stack, cause } = error
  const { code } = error as NodeJS.ErrnoException
  return {
    type: name,
    message,
    stack,
    ...code !== undefined && { code },
    ...cause !== undefined && depth > 1 && { cause: describe(cause, depth - 1) }
  }
}

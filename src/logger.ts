import { pino, type DestinationStream, type Logger } from 'pino'

/** Deepest chain of causes that is logged. */
const MAX_CAUSES = 4

/** Logs JSON lines, to the standard output where no other place is given. */
export function createLogger (level: string, destination?: DestinationStream): Logger {
  return pino({ level, serializers: { err: (error: unknown) => describe(error, MAX_CAUSES) } }, destination)
}

/**
 * Of an error only what is known to be harmless. Drivers keep a row's values, a command's arguments or a request's bytes in its other
 * properties: messages, passwords and tokens among them.
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

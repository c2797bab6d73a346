/** The database cannot be opened or migrated. The message tells the operator why, in one line without passwords. */
export class DatabaseError extends Error {}

/** Returns the message of a driver's error in one line. */
export function reasonOf (error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string, errors?: Error[] }
  return (message || errors?.[0]?.message || code || String(error)).replace(/\s*\n\s*/g, ' ').trim()
}

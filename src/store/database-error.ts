/** The database cannot be opened or migrated, said in one line for whoever runs the server; never with a password in it. */
export class DatabaseError extends Error {}

/** An error of a driver in one line. */
export function reasonOf (error: unknown): string {
  const { message, code, errors } = error as Error & { code?: string, errors?: Error[] }
  return (message || errors?.[0]?.message || code || String(error)).replace(/\s*\n\s*/g, ' ').trim()
}

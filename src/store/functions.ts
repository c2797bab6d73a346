import { AppError, type ErrorCode } from '../errors.ts'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'

interface Judged { code: ErrorCode | null, retry_after_ms?: bigint | number | string | null }

export type Functions = ReturnType<typeof createFunctions>

/** Calls SQL functions that each serve one command. Such a function authorises the actor and writes, in one statement. */
export function createFunctions ({ query }: Pick<Database, 'query'>) {
  return withStoreErrors({
    /**
     * Calls a function of prisma/functions. Its first column is null or the error code of a refusal; it may have a column `retry_after_ms`.
     * @returns the function's row.
     * @throws AppError with the code of the refusal.
     */
    async call<T extends object = object> (name: `parley_${string}`, ...args: unknown[]): Promise<T> {
      const places = args.map((_, i) => `$${i + 1}`).join(', ')
      const [row] = await query<T & Judged>(`SELECT * FROM ${name}(${places}) AS r (code)`, args)
      const { code, retry_after_ms: retry } = row!
      if (code !== null) throw new AppError(code, retry === undefined || retry === null ? {} : { retryAfterMs: Number(retry) })
      return row!
    }
  })
}

import type { Counters } from '../counters.ts'
import { AppError } from '../errors.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/**
 * Counts one event of `key` in a window of `window` milliseconds: for the whole cluster, if `counters` are shared. `most`: events that the
 * window may have; 0 means no limit. @throws AppError `rate_limited` beyond it.
 */
export async function countOne (counters: Pick<Counters, 'add'>, key: string, most: number, window: number): Promise<void> {
  if (most === 0) return
  const { current, ttl } = await counters.add(key, window)
  if (current > most) throw new AppError('rate_limited', { retryAfterMs: ttl })
}

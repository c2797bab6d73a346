import type { ErrorCode } from '../errors.ts'
import { isLockTimeout } from './errors.ts'

/** The database's answer for an item of a batch that is not stored. */
export interface Refusal { code: ErrorCode, retryAfterMs: number | undefined }

export function refused (code: ErrorCode, retryAfterMs: bigint | number | string | null): Refusal {
  return { code, retryAfterMs: retryAfterMs === null ? undefined : Number(retryAfterMs) }
}

/**
 * Runs the whole batch. After a lock time-out it runs the batch again by channel, so that only items of a locked channel fail. The items of
 * the other channels are delayed by that one time-out.
 */
export async function despiteLocks<T, V> (
  batch: T[], channelOf: (item: T) => string, run: (part: T[]) => Promise<V[]>
): Promise<Array<V | Refusal>> {
  return await unlessLocked(() => run(batch)) ?? byChannel(batch, channelOf, run)
}

/** Returns undefined after a lock time-out: then nothing has been written. */
export async function unlessLocked<T> (run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (!isLockTimeout(error)) throw error
    return undefined
  }
}

/** Runs the batch by channel. Items of a channel whose lock cannot be had are answered `unavailable`. */
export async function byChannel<T, V> (
  batch: T[], channelOf: (item: T) => string, run: (part: T[]) => Promise<V[]>
): Promise<Array<V | Refusal>> {
  const verdicts = new Map<T, V | Refusal>()
  await Promise.all([...new Set(batch.map(channelOf))].map(async channel => {
    const part = batch.filter(item => channelOf(item) === channel)
    const found = await unlessLocked(() => run(part))
    part.forEach((item, i) => verdicts.set(item, found?.[i] ?? { code: 'unavailable', retryAfterMs: undefined }))
  }))
  return batch.map(item => verdicts.get(item)!)
}

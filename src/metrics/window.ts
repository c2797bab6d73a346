import type { Histogram } from '../histogram.ts'

/** The counts of a histogram at some moment. */
export type Counts = readonly number[]

/**
 * Returns the value that a `share` of the observations between two moments did not exceed, interpolated within its bucket; the highest
 * bound for a value above all bounds. Null if there was no observation.
 */
export function percentile (bounds: Histogram['bounds'], before: Counts, after: Counts, share: number): number | null {
  const counts = after.map((count, i) => count - before[i]!)
  const wanted = share * counts.reduce((sum, count) => sum + count, 0)
  if (wanted === 0) return null
  let seen = 0
  for (const [i, count] of counts.entries()) {
    if (count > 0 && seen + count >= wanted) {
      const [low, high] = [i === 0 ? 0 : bounds[i - 1]!, bounds[i] ?? bounds.at(-1)!]
      return low + (high - low) * (wanted - seen) / count
    }
    seen += count
  }
  return bounds.at(-1)!
}

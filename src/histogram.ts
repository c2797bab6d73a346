/** How observations are spread, in plain numbers, for places where observing must cost nothing to speak of. */
export class Histogram {
  /** Ascending. */
  readonly bounds: readonly number[]
  /** How many lie up to each bound and above the one before it; the last: above all. */
  readonly counts: number[]
  sum = 0

  constructor (bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  observe (value: number): void {
    let i = 0
    while (i < this.bounds.length && value > this.bounds[i]!) i++
    this.counts[i]!++
    this.sum += value
  }
}

/** Bounds for what takes milliseconds and should not take seconds. */
export const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

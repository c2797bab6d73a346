/** Milliseconds. */
const SHORTEST = 500
const LONGEST = 30_000

/** A wait with full jitter: anything between half a second and a bound that doubles with each failed attempt, up to 30 s [C5]. */
export function jitter (failures: number, random: number): number {
  const bound = Math.min(LONGEST, 1000 * 2 ** failures)
  return Math.round(SHORTEST + random * (bound - SHORTEST))
}

/** The milliseconds that the server asks for in the reason of a close frame with the code 1012. */
export function waitOf (reason: string): number | undefined {
  const [, ms] = /retry_after_ms=(\d+)/.exec(reason) ?? []
  return ms === undefined ? undefined : Number(ms)
}

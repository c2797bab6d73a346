/** Does it resolve within so many milliseconds? False for a failure and for silence alike. */
export async function resolvesWithin (promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<false>(resolve => { timer = setTimeout(resolve, ms, false) })
  try {
    return await Promise.race([promise.then(() => true, () => false), silence])
  } finally {
    clearTimeout(timer)
  }
}

/** Counts down from now: what is left of so many milliseconds, or of a share of them; 0 when they are over. */
export function createCountdown (ms: number): (share?: number) => number {
  const began = performance.now()
  return (share = 1) => Math.max(0, began + share * ms - performance.now())
}

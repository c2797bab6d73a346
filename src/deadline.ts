/** Whether the promise resolves within `ms` milliseconds: false if it rejects or takes longer. */
export async function resolvesWithin (promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<false>(resolve => { timer = setTimeout(resolve, ms, false) })
  try {
    return await Promise.race([promise.then(() => true, () => false), silence])
  } finally {
    clearTimeout(timer)
  }
}

/** Starts a countdown of `ms` milliseconds. The result returns the milliseconds that are left of it, or of a share of it; never below 0. */
export function createCountdown (ms: number): (share?: number) => number {
  const began = performance.now()
  return (share = 1) => Math.max(0, began + share * ms - performance.now())
}

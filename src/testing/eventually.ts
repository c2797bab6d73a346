/** Milliseconds after which a test stops waiting and fails. */
export const DEADLINE = 10_000

/** Calls `look` every 10 ms until it returns something other than undefined and false, and returns that. */
export async function eventually<T> (look: () => Promise<T | undefined | false> | T | undefined | false, deadline = DEADLINE): Promise<T> {
  const end = performance.now() + deadline
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** How long any wait of a test may take, in milliseconds, before it fails. */
export const DEADLINE = 10_000

/** Waits until `look` gives something other than undefined or false, asking again and again. */
export async function eventually<T> (look: () => Promise<T | undefined | false> | T | undefined | false, deadline = DEADLINE): Promise<T> {
  const end = performance.now() + deadline
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${look}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

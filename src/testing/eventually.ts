/** Milliseconds after which a test stops waiting and fails. */
export const DEADLINE = 10_000

/** Milliseconds between two looks: the first ones are close together, because most waits are short, and a look may be costly. */
const PAUSE = { first: 10, last: 100, growth: 1.2 }

/** Calls `look` until it returns something other than undefined and false, and returns that. */
export async function eventually<T> (look: () => Promise<T | undefined | false> | T | undefined | false, deadline = DEADLINE): Promise<T> {
  const end = performance.now() + deadline
  for (let pause = PAUSE.first; ; pause = Math.min(PAUSE.growth * pause, PAUSE.last)) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`not within ${deadline} ms: ${look}`)
    await new Promise(resolve => setTimeout(resolve, pause))
  }
}

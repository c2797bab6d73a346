/** Things that happen a moment later unless they are taken back. */
export interface Linger<T> {
  /** `notBefore` on the clock of `performance.now()`; it must not go back from one call to the next. */
  add (key: string, item: T, notBefore?: number): void
  /** True when `key` was waiting. */
  cancel (key: string): boolean
  close (): void
}

/**
 * Holds what is added for `window` milliseconds, so that a user who leaves and comes back at once causes no frame
 * (presence frames may be coalesced for up to 1 s). One timer, however many wait.
 */
export function createLinger<T> (window: number, onDue: (items: T[]) => void): Linger<T> {
  /** In order of `due`. */
  const waiting = new Map<string, { item: T, due: number }>()
  let timer: NodeJS.Timeout | undefined

  function fire (): void {
    timer = undefined
    const now = performance.now()
    const items: T[] = []
    for (const [key, { item, due }] of waiting) {
      // Timers may fire a fraction of a millisecond early.
      if (due > now + 1) { arm(due - now); break }
      waiting.delete(key)
      items.push(item)
    }
    if (items.length > 0) onDue(items)
  }

  function arm (delay: number): void {
    timer ??= setTimeout(fire, delay)
  }

  return {
    add (key, item, notBefore = 0) {
      const now = performance.now()
      const due = Math.max(now + window, notBefore)
      waiting.delete(key)
      waiting.set(key, { item, due })
      arm(due - now)
    },
    cancel: key => waiting.delete(key),
    close () {
      clearTimeout(timer)
      timer = undefined
      waiting.clear()
    }
  }
}

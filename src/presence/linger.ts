/** Items that are handled after a delay unless they are cancelled. */
export interface Linger<T> {
  add (key: string, item: T): void
  has (key: string): boolean
  /** Returns true when an item with this key was waiting. */
  cancel (key: string): boolean
  /** Makes items that are added from now on wait at least until `time`, on the clock of `performance.now()`. */
  hold (time: number): void
  /** Whether items that are added now have to wait because of `hold`. */
  isHeld (): boolean
  close (): void
}

/**
 * Delays each item by `window` milliseconds, so that a user who leaves and returns at once causes no frame (presence frames may be
 * coalesced for up to 1 s). One timer serves all items.
 */
export function createLinger<T> (window: number, onDue: (items: T[]) => void): Linger<T> {
  /** Waiting items by key, in order of `due`. */
  const waiting = new Map<string, { item: T, due: number }>()
  let timer: NodeJS.Timeout | undefined
  let floor = 0

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
    add (key, item) {
      const now = performance.now()
      const due = Math.max(now + window, floor)
      waiting.delete(key)
      waiting.set(key, { item, due })
      arm(due - now)
    },
    has: key => waiting.has(key),
    cancel: key => waiting.delete(key),
    hold (time) { floor = Math.max(floor, time) },
    isHeld: () => floor > performance.now(),
    close () {
      clearTimeout(timer)
      timer = undefined
      waiting.clear()
    }
  }
}

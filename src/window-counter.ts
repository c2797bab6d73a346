/** A count, and the milliseconds until its window ends. */
export interface Count { current: number, ttl: number }

/** Keys that are kept at most. Beyond this, the key that was counted longest ago is dropped and starts at 0 again. */
const MAX_KEYS = 100_000

/** Counts events within windows of time, in memory. `now` returns the milliseconds of a clock that never goes back. */
export function createWindowCounter (maxKeys = MAX_KEYS, now: () => number = () => performance.now()) {
  /** Windows by key, in the order in which the keys were last counted. */
  const windows = new Map<string, { current: number, endsAt: number }>()

  function read (key: string): Count {
    const window = windows.get(key)
    const ttl = window === undefined ? 0 : window.endsAt - now()
    return ttl > 0 ? { current: window!.current, ttl: Math.ceil(ttl) } : { current: 0, ttl: 0 }
  }

  return {
    read,

    /** Adds one to the count of `key`. The first count opens a window of `window` milliseconds. */
    add (key: string, window: number): Count {
      const { current, ttl } = read(key)
      const endsAt = current > 0 ? windows.get(key)!.endsAt : now() + window
      windows.delete(key)
      windows.set(key, { current: current + 1, endsAt })
      if (windows.size > maxKeys) windows.delete(windows.keys().next().value!)
      return { current: current + 1, ttl: current > 0 ? ttl : window }
    }
  }
}

/**
 * A value that changes, with its listeners. It works as it is with React's `useSyncExternalStore`, Svelte stores, Vue, Solid and signals.
 * A snapshot is immutable, and the same object until the value changes.
 */
export interface Readable<T> {
  getSnapshot (): T
  /** Calls `listener` after each change, without arguments. @returns a function that ends the subscription. */
  subscribe (listener: () => void): () => void
}

/** A readable value whose owner says when it has changed. */
export interface View<T> extends Readable<T> {
  changed (): void
  /** Somebody listens. */
  readonly isWatched: boolean
}

/**
 * Creates a readable value. `make` builds a snapshot, only when somebody asks for it. Errors of listeners go to `onFault`. `onListener` is
 * called for each new listener.
 */
export function createView<T> (make: () => T, onFault: (error: unknown) => void, onListener?: () => void): View<T> {
  const listeners = new Set<() => void>()
  let cached: { value: T } | undefined
  return {
    getSnapshot: () => (cached ??= { value: make() }).value,
    subscribe (listener) {
      // The same function may subscribe twice.
      const own = (): void => listener()
      listeners.add(own)
      onListener?.()
      return () => { listeners.delete(own) }
    },
    get isWatched () { return listeners.size > 0 },
    changed () {
      cached = undefined
      for (const listener of [...listeners]) {
        try {
          listener()
        } catch (error) {
          onFault(error)
        }
      }
    }
  }
}

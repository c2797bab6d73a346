/** An owner of resources, such as a test of tap: it calls every registered `end` when it is over, the last one first. */
export interface Scope { teardown (end: () => unknown): unknown }

/**
 * A scope that is over when `close` is called. Further calls do nothing.
 * @throws the first error of an `end`, once all of them have been called.
 */
export interface OwnScope extends Scope { close (): Promise<void> }

export function createScope (): OwnScope {
  const ends: Array<() => unknown> = []
  let isOver = false
  return {
    teardown (end) {
      if (!isOver) return ends.push(end)
      // A test that has run out of time may still be opening something.
      return Promise.resolve().then(end)
    },
    async close () {
      const errors: unknown[] = []
      for (let end = ends.pop(); end; end = ends.pop()) {
        try {
          await end()
        } catch (error) {
          errors.push(error)
        }
      }
      isOver = true
      if (errors.length > 0) throw errors[0]
    }
  }
}

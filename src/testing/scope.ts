/** An owner of resources, such as a test of tap: it calls every registered `end` when it is over, the last one first. */
export interface Scope { teardown (end: () => unknown): unknown }

/** A scope that is over when `close` is called. Further calls do nothing. */
export interface OwnScope extends Scope { close (): Promise<void> }

export function createScope (): OwnScope {
  const ends: Array<() => unknown> = []
  return {
    teardown (end) { ends.push(end) },
    async close () {
      for (let end = ends.pop(); end; end = ends.pop()) await end()
    }
  }
}

import type { Scope } from '../helper.ts'

/**
 * Where a scenario runs. In a tap test the instances share the process of the test, which starts quickly. With `processes` each instance
 * has its own process, as in production.
 */
export interface Stage extends Scope { processes?: boolean }

/** A stage outside a test. `end` runs the teardowns in reverse order. */
export function createStage (): Stage & { end (): Promise<void> } {
  const ends: Array<() => unknown> = []
  return {
    processes: true,
    teardown: end => ends.push(end),
    async end () {
      for (const end of ends.splice(0).reverse()) await end()
    }
  }
}

import type { Scope } from '../helper.ts'

/**
 * Where a scenario runs. As a tap test its instances share the test's process, which is quick to start; with `processes` each
 * is one of its own, as in production.
 */
export interface Stage extends Scope { processes?: boolean }

/** A stage without a test; `end` ends what was begun last first. */
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

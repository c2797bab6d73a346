import { createScope, type OwnScope } from '../../src/testing/scope.ts'
import type { Scope } from '../helper.ts'

/**
 * Where a scenario runs. In a tap test the instances share the process of the test, which starts quickly. With `processes` each instance
 * has its own process, as in production.
 */
export interface Stage extends Scope { processes?: boolean }

/** A stage outside a test, which ends when it is closed. */
export function createStage (): Stage & OwnScope {
  return { processes: true, ...createScope() }
}

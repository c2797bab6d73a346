import { inspectFrames } from '../src/connections/frames.ts'
import { createFrameCheck } from '../src/requests/frame-check.ts'
import { errorsOf } from '../src/requests/frames.ts'
import { table } from '../src/requests/table.ts'
import type { Scope } from './helper.ts'
import { runningIn } from './running.ts'

export const checkFrame = createFrameCheck()
/** Says whether the row of this request names the error that answered it. A frame that is no request of the table may get any error. */
export function isKnownRefusal (frame: object, code: string): boolean {
  const { type, command = type } = frame as { type?: string, command?: string }
  const row = Object.hasOwn(table, String(command)) ? table[String(command)] : undefined
  return row === undefined || code.startsWith('unknown_') || (errorsOf(row) as string[]).includes(code)
}

/** The scopes of the servers of this process whose frames are judged. */
const scopes: Scope[] = []

/**
 * Judges every frame that the servers of this process send, until the scope ends: a frame that is not what its schema says fails the test
 * of the scope that runs then.
 */
export function judgeFrames (scope: Scope): void {
  scopes.push(scope)
  inspectFrames(judge)
  scope.teardown(() => {
    scopes.splice(scopes.indexOf(scope), 1)
    if (scopes.length === 0) inspectFrames(null)
  })
}

function judge (json: string): void {
  const fault = checkFrame(json)
  if (fault) fail(scopes.at(-1)!, `a frame is not what its schema says: ${JSON.stringify(fault)}`)
}

/** Calls a function that encodes frames which no server would send, and returns its result. */
export function unjudged<T> (make: () => T): T {
  inspectFrames(null)
  try {
    return make()
  } finally {
    if (scopes.length > 0) inspectFrames(judge)
  }
}

/** A scope that is a test. This module is loaded outside of tests too, so it does not import tap. */
interface TestScope extends Scope { fail (message: string): unknown }

/** Fails the innermost test that runs in the scope. @throws Error if the scope is no test. */
function fail (scope: Scope, message: string): void {
  if (!('fail' in scope)) throw new Error(message)
  runningIn(scope as TestScope).fail(message)
}

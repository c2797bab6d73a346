import { inspectFrames } from '../src/connections/frames.ts'
import { createFrameCheck } from '../src/requests/frame-check.ts'
import { errorsOf } from '../src/requests/frames.ts'
import { table } from '../src/requests/table.ts'
import { runningTest } from './tap.ts'

export const checkFrame = createFrameCheck()
/** Says whether the row of this request names the error that answered it. A frame that is no request of the table may get any error. */
export function isKnownRefusal (frame: object, code: string): boolean {
  const { type, command = type } = frame as { type?: string, command?: string }
  const row = Object.hasOwn(table, String(command)) ? table[String(command)] : undefined
  return row === undefined || code.startsWith('unknown_') || (errorsOf(row) as string[]).includes(code)
}

/** Servers of this process whose frames are judged. */
let servers = 0

/** Judges every frame that a server of this process sends: one that is not what its schema says fails the running test. @returns an end. */
export function judgeFrames (): () => void {
  if (servers++ === 0) {
    inspectFrames(json => {
      const fault = checkFrame(json)
      if (fault) runningTest().fail(`a frame is not what its schema says: ${JSON.stringify(fault)}`)
    })
  }
  return () => { if (--servers === 0) inspectFrames(null) }
}

/** Runs one task when asked to, but not too often. */
export interface Pacer {
  /** Has the task run soon, or once more after a run that is under way. */
  ask (): void
  /** Ends the pacer: what was asked for and has not begun does not run any more. */
  stop (): void
}

/**
 * A run of `task` begins at least `ms` milliseconds after the one before it has ended. After a pause the task runs at once. `task` must not
 * reject.
 */
export function createPacer (ms: number, task: () => Promise<void> | void): Pacer {
  let timer: NodeJS.Timeout | undefined
  let isRunning = false
  let isAsked = false
  let stopped = false
  let endedAt = -Infinity

  function schedule (): void {
    if (isRunning || stopped) return
    timer ??= setTimeout(run, Math.max(0, endedAt + ms - performance.now())).unref()
  }

  async function run (): Promise<void> {
    timer = undefined
    isAsked = false
    isRunning = true
    await task()
    endedAt = performance.now()
    isRunning = false
    if (isAsked) schedule()
  }

  return {
    ask () {
      isAsked = true
      schedule()
    },
    stop () {
      stopped = true
      clearTimeout(timer)
    }
  }
}

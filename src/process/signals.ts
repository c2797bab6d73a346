/** Signals of one Ctrl-C may arrive twice (from the terminal, and from npm or a primary); a later one is impatience. Milliseconds. */
const IMPATIENCE = 1000

/** Calls `close` at the first SIGTERM or SIGINT, and `hurry` at each that comes a second or more after it. */
export function onSignals (close: (signal: NodeJS.Signals) => void, hurry: () => void): void {
  let since: number | undefined
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (since === undefined) {
        since = performance.now()
        close(signal)
      } else if (performance.now() - since > IMPATIENCE) {
        hurry()
      }
    })
  }
}

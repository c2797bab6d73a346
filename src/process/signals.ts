/** Milliseconds. One Ctrl-C may send a signal twice, from the terminal and from npm or a primary. A later one asks for an immediate end. */
const IMPATIENCE = 1000

/** Calls `close` at the first SIGTERM or SIGINT, and `hurry` at each one that arrives more than a second later. */
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

/** The signals that ask a process to end: of service managers, of Ctrl-C, of a terminal that is closed, and of Ctrl-\\. */
export const END_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const
/** PM2 sends this message over IPC instead of a signal when it reloads workers, or when `shutdown_with_message` is set. */
const SHUTDOWN = 'shutdown'

/** Milliseconds. One Ctrl-C may send a signal twice, from the terminal and from npm or a primary. A later one asks for an immediate end. */
const IMPATIENCE = 1000

/** Calls `close` at the first request to end, a signal or PM2's message, and `hurry` at each one that arrives more than a second later. */
export function onSignals (close: (signal: string) => void, hurry: () => void): void {
  let since: number | undefined
  function end (signal: string): void {
    if (since === undefined) {
      since = performance.now()
      close(signal)
    } else if (performance.now() - since > IMPATIENCE) {
      hurry()
    }
  }
  for (const signal of END_SIGNALS) process.on(signal, end)
  process.on('message', message => { if (message === SHUTDOWN) end(SHUTDOWN) })
}

import type { MessageStore } from '../store/messages.ts'
import type { Tokens } from '../store/tokens.ts'

const INTERVAL_MS = 60_000
/** Rows a statement removes at most, so that none holds anything up. */
const BATCH = 1000

/** Removes what has outlived its use: expired logins, and the messages of deleted channels. */
export function createMaintenance ({ messages, tokens, tokenLifetime, onFault }: {
  messages: MessageStore, tokens: Tokens, tokenLifetime: number, onFault: (error: unknown) => void
}) {
  let running = false
  let stopped = false

  async function run (): Promise<void> {
    if (running) return
    running = true
    try {
      while (!stopped && await messages.purge(BATCH) > 0);
      while (!stopped && await tokens.purge(tokenLifetime, BATCH) > 0);
    } catch (error) {
      onFault(error)
    } finally {
      running = false
    }
  }

  const timer = setInterval(run, INTERVAL_MS)
  timer.unref()
  return { stop: (): void => { stopped = true; clearInterval(timer) } }
}

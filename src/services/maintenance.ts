import { setTimeout as rest } from 'node:timers/promises'
import type { MessageStore } from '../store/messages.ts'
import type { Tokens } from '../store/tokens.ts'

const INTERVAL_MS = 60_000
/** Rows a statement removes at most, so that none holds anything up. */
const BATCH = 500

/** Removes what has outlived its use: the messages of deleted channels, and expired logins. `tokenLifetime` in seconds. */
export function createMaintenance ({ messages, tokens, tokenLifetime, onFault }: {
  messages: MessageStore, tokens: Tokens, tokenLifetime: number, onFault: (error: unknown) => void
}) {
  const stopping = new AbortController()
  let running = false

  async function run (): Promise<void> {
    if (running) return
    running = true
    try {
      await untilNothing(() => messages.purge(BATCH))
      await untilNothing(() => tokens.purge(tokenLifetime, BATCH))
    } catch (error) {
      onFault(error)
    } finally {
      running = false
    }
  }

  /** Rests as long as each round took: the embedded database works on our own thread, and everyone else is to have half of it. */
  async function untilNothing (remove: () => Promise<number>): Promise<void> {
    while (!stopping.signal.aborted) {
      const began = performance.now()
      if (await remove() === 0) return
      await rest(performance.now() - began, undefined, { ref: false })
    }
  }

  const timer = setInterval(run, INTERVAL_MS)
  timer.unref()
  return {
    run,
    stop (): void {
      stopping.abort()
      clearInterval(timer)
    }
  }
}

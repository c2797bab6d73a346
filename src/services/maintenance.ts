import { setTimeout as rest } from 'node:timers/promises'
import type { MessageStore } from '../store/messages.ts'
import type { Tokens } from '../store/tokens.ts'

const INTERVAL_MS = 60_000
/** Rows that one statement deletes at most, so that it delays no other statement for long. */
const BATCH = 500

/**
 * Deletes what is no longer needed: messages of deleted channels, old times of slow mode, and expired logins.
 * `tokenLifetime`: an access token's, in seconds.
 */
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
      await untilNothing(() => messages.purgeSends(BATCH))
      await untilNothing(() => tokens.purge(tokenLifetime, BATCH))
    } catch (error) {
      onFault(error)
    } finally {
      running = false
    }
  }

  /**
   * Deletes rows until none are left, and pauses after each round for as long as the round took: the embedded database runs on the
   * server's own thread, and half of the thread's time has to stay free for other work.
   */
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

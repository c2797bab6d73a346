import { setTimeout as rest } from 'node:timers/promises'
import type { AccountCodeStore } from '../store/account-codes.ts'
import type { MessageStore } from '../store/messages.ts'
import type { Pruning } from '../store/pruning.ts'
import type { Tokens } from '../store/tokens.ts'

const INTERVAL_MS = 60_000
/** Rows that one statement deletes at most, so that it delays no other statement for long. */
const BATCH = 500
/** Channels that one statement looks at. */
const CHANNELS = 200
/** Entries removed from the embedded database after which their space is made reusable. */
const VACUUM_AFTER = 10_000

/**
 * Deletes what is no longer needed: messages of deleted channels, entries older than their channel's retention [P50], old times of slow
 * mode, and expired logins and codes. `tokenLifetime`: an access token's, in seconds. `hasAutovacuum` is false for the embedded database.
 */
export function createMaintenance ({ messages, pruning, tokens, accountCodes, tokenLifetime, hasAutovacuum, onFault }: {
  messages: MessageStore
  pruning: Pruning
  tokens: Tokens
  accountCodes: Pick<AccountCodeStore, 'purge'>
  tokenLifetime: number
  hasAutovacuum: boolean
  onFault: (error: unknown) => void
}) {
  const stopping = new AbortController()
  let running = false
  /** Entries that retention has removed since the last VACUUM. */
  let unvacuumed = 0

  async function run (): Promise<void> {
    if (running) return
    running = true
    try {
      await untilNothing(() => messages.purge(BATCH))
      await applyRetention()
      await untilNothing(() => messages.purgeSends(BATCH))
      await untilNothing(() => tokens.purge(tokenLifetime, BATCH))
      await untilNothing(() => accountCodes.purge(BATCH))
    } catch (error) {
      onFault(error)
    } finally {
      running = false
    }
  }

  async function applyRetention (): Promise<void> {
    let page = await pruning.retaining(undefined, CHANNELS)
    while (page.length > 0 && !stopping.signal.aborted) {
      for (const { id, cutoff } of page.filter(({ isDue }) => isDue)) await pruneChannel(id, cutoff)
      page = page.length < CHANNELS ? [] : await pruning.retaining(page.at(-1)!.id, CHANNELS)
    }
    if (hasAutovacuum || unvacuumed < VACUUM_AFTER || stopping.signal.aborted) return
    await pruning.vacuum()
    unvacuumed = 0
  }

  async function pruneChannel (id: string, cutoff: Date): Promise<void> {
    let done = 0n
    await untilNothing(async () => {
      const old = await pruning.oldEntries(id, cutoff, done, BATCH)
      if (!old) return 0
      await pruning.deleteEntries(id, old.upTo)
      done = old.upTo
      unvacuumed += old.messages + old.changes
      return old.messages + old.changes
    })
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

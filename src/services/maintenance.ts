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

/**
 * Deletes what is no longer needed: messages of deleted channels, entries older than their channel's retention [P50], old times of slow
 * mode, and expired logins and codes. Where there is no autovacuum, as in the embedded database, it does that work too. `tokenLifetime`: an
 * access token's, in seconds.
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

  async function run (): Promise<void> {
    if (running) return
    running = true
    try {
      await untilNothing(() => messages.purge(BATCH))
      await applyRetention()
      await untilNothing(() => messages.purgeSends(BATCH))
      await untilNothing(() => tokens.purge(tokenLifetime, BATCH))
      await untilNothing(() => accountCodes.purge(BATCH))
      if (!hasAutovacuum) await vacuum()
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
  }

  async function vacuum (): Promise<void> {
    const tables = await pruning.changedTables()
    await untilNothing(async () => {
      const table = tables.pop()
      if (table === undefined) return 0
      await pruning.vacuum(table)
      return 1
    })
  }

  async function pruneChannel (id: string, cutoff: Date): Promise<void> {
    let done = 0n
    await untilNothing(async () => {
      const old = await pruning.oldEntries(id, cutoff, done, BATCH)
      if (!old) return 0
      await pruning.deleteEntries(id, old.upTo)
      done = old.upTo
      return old.messages + old.changes
    })
  }

  /**
   * Works until nothing is left to do, and pauses after each round for as long as the round took: the embedded database runs on the
   * server's own thread, and half of the thread's time has to stay free for other work.
   */
  async function untilNothing (work: () => Promise<number>): Promise<void> {
    while (!stopping.signal.aborted) {
      const began = performance.now()
      if (await work() === 0) return
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

import { setTimeout as rest } from 'node:timers/promises'
import type { SearchStore } from '../store/search.ts'

/** Milliseconds between two looks for new entries. */
const INTERVAL_MS = 2000
/**
 * Pauses after a batch, as a multiple of the time that it took: while messages wait to be stored, those come first. A look for new entries
 * reads the row of each channel, so with very many channels there are fewer looks.
 */
const PAUSE = { idle: 1, busy: 20, nothing: 20 }

/**
 * Keeps the index of search up to date [P70], in the background: publishing does not wait for it. Every instance does so, but the database
 * lets one batch run at a time.
 */
export function createSearchIndex ({ store, batchSize, isBusy, onFault }: {
  store: Pick<SearchStore, 'index'>
  /** Entries that one batch adds at most. */
  batchSize: number
  /** Whether messages wait to be stored. */
  isBusy: () => boolean
  onFault: (error: unknown) => void
}) {
  const stopping = new AbortController()
  const { signal } = stopping
  /** Whether the last batch failed. Its fault is told once, not at each further try. */
  let failed = false

  /** Runs one batch. @returns the milliseconds to pause. */
  async function runBatch (): Promise<number> {
    const began = performance.now()
    try {
      const looked = await store.index(batchSize)
      failed = false
      const took = performance.now() - began
      return looked === 0 ? Math.max(INTERVAL_MS, PAUSE.nothing * took) : took * (isBusy() ? PAUSE.busy : PAUSE.idle)
    } catch (error) {
      if (!failed && !signal.aborted) onFault(error)
      failed = true
      return INTERVAL_MS
    }
  }

  async function run (): Promise<void> {
    while (!signal.aborted) {
      const pause = await runBatch()
      await rest(pause, undefined, { ref: false, signal }).catch(() => { /* It is stopping. */ })
    }
  }

  return {
    /** Begins, without waiting for anything. */
    start: (): void => { run() },
    stop: (): void => stopping.abort()
  }
}

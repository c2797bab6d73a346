import asyncHooks from 'node:async_hooks'
import type { BrowserType } from 'playwright-core'

/** A storage that ends with the synchronous part of a call. */
class SynchronousStorage {
  #store: unknown

  getStore (): unknown {
    return this.#store
  }

  run<T> (store: unknown, call: () => T): T {
    const before = this.#store
    this.#store = store
    try {
      return call()
    } finally {
      this.#store = before
    }
  }
}

/** Playwright's Chromium. */
export const chromium = await importChromium()

/**
 * Imports Playwright without the storage by which it knows which of its calls are parts of others. Once such a storage is used, Node 20
 * follows every promise: all tests that this process runs afterwards would cost more, and code that awaits much twice as much. Playwright
 * needs it only for the names of calls in its errors.
 */
async function importChromium (): Promise<BrowserType> {
  const { AsyncLocalStorage } = asyncHooks
  Object.assign(asyncHooks, { AsyncLocalStorage: SynchronousStorage })
  try {
    return (await import('playwright-core')).chromium
  } finally {
    Object.assign(asyncHooks, { AsyncLocalStorage })
  }
}

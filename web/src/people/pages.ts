import { signal, type ReadonlySignal } from '@preact/signals'
import { errorText } from '../ui/error-text.ts'

/** A page of a list, and where the next one begins; null on the last page. */
export interface Page<T> { items: T[], next: string | null }

/** A list as far as it was read. `error`: why the latest attempt failed. */
export interface Listed<T> { items: readonly T[], hasMore: boolean, isLoading: boolean, isRead: boolean, error: string | undefined }

export interface Pages<T> {
  readonly list: ReadonlySignal<Listed<T>>
  /** Reads the next page. */
  more (): Promise<void>
  /** Reads anew as many rows as are shown, or the first page. What is shown stays until then. */
  refresh (): Promise<void>
}

/** Most pages that `refresh` reads, so that a long list costs no more than this. */
const MAX_PAGES = 10

/** Reads a list page by page. One read runs at a time; `refresh` runs once more if it is called meanwhile. */
export function createPages<T> (read: (cursor: string | undefined) => Promise<Page<T>>): Pages<T> {
  const list = signal<Listed<T>>({ items: [], hasMore: true, isLoading: false, isRead: false, error: undefined })
  let next: string | null | undefined
  let isOutdated = false

  async function run (load: () => Promise<readonly T[]>): Promise<void> {
    if (list.value.isLoading) return
    list.value = { ...list.value, isLoading: true, error: undefined }
    try {
      const items = await load()
      list.value = { items, hasMore: next !== null, isLoading: false, isRead: true, error: undefined }
    } catch (error) {
      list.value = { ...list.value, isLoading: false, error: errorText(error) }
    }
    if (!isOutdated) return
    isOutdated = false
    await refresh()
  }

  async function readPage (): Promise<T[]> {
    const page = await read(next ?? undefined)
    next = page.next
    return page.items
  }

  async function refresh (): Promise<void> {
    if (list.value.isLoading) {
      isOutdated = true
      return
    }
    await run(async () => {
      const before = list.value.items.length
      const found: T[] = []
      next = undefined
      let pages = 0
      do found.push(...await readPage())
      while (++pages < MAX_PAGES && next !== null && found.length < before)
      return found
    })
  }

  return {
    list,
    refresh,
    more: () => run(async () => [...list.value.items, ...await readPage()])
  }
}

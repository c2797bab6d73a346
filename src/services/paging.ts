import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'

export const DEFAULT_LIMIT = 50

const shapes = {
  name: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  /** Unix milliseconds, and the id of a row. */
  time: /^\d{1,14} [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** The part of a search, the id of a row, and the name or handle by which it was found. */
  match: /^[hn] [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} [^\0]{0,64}$/u,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  /** A place in the order of all messages. */
  place: /^-?\d{1,15}$/
}

/** The key that the rows of a list are ordered by, and the key's format. A cursor holds the key of the last row of a page. */
export interface PageOrder<T> { shape: keyof typeof shapes, key: (row: T) => string }

export interface Page<T> { items: T[], next_cursor: string | null }

/** The page that is asked for: its number of rows at most, and the `next_cursor` of the page before it. */
export interface PagePlace { limit?: number | undefined, cursor?: string | undefined }

/**
 * Reads one page of a list. `read` returns the first `most` rows after the key `after`. It is asked for one row more than the page may
 * have, which shows whether there is a next page.
 * @throws AppError `invalid_request` if the cursor is malformed.
 */
export async function readPage<T> (
  { cursor, limit = DEFAULT_LIMIT }: PagePlace,
  { shape, key }: PageOrder<T>,
  read: (after: string | undefined, most: number) => Promise<T[]>
): Promise<Page<T>> {
  const rows = await read(readCursor(cursor, shape), limit + 1)
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? toCursor(key(items.at(-1)!)) : null }
}

/**
 * Shortens a page to the rows that fit into `maxBytes` of JSON, with a cursor that continues after them [P59]. It keeps at least one row,
 * so that every page makes progress.
 */
export function fitPage<T> (page: Page<T>, key: (row: T) => string, maxBytes: number): Page<T> {
  let left = maxBytes
  const end = page.items.findIndex(row => (left -= jsonSize(row) + 1) < 0)
  if (end === -1) return page
  const items = page.items.slice(0, Math.max(1, end))
  return items.length === page.items.length ? page : { items, next_cursor: toCursor(key(items.at(-1)!)) }
}

export function toCursor (key: string): string {
  return Buffer.from(key).toString('base64url')
}

/** Returns the key that a cursor holds, undefined without a cursor. @throws AppError `invalid_request` if the cursor is malformed. */
export function readCursor (cursor: string | undefined, shape: keyof typeof shapes): string | undefined {
  if (cursor === undefined) return undefined
  const key = Buffer.from(cursor, 'base64url').toString()
  if (!shapes[shape].test(key)) throw new AppError('invalid_request', { detail: 'cursor: malformed' })
  return key
}

import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'

const DEFAULT_LIMIT = 50

const shapes = {
  name: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
}

/** What a page's rows are ordered by: where its cursors point. */
export interface PageOrder<T> { shape: keyof typeof shapes, key: (row: T) => string }

export interface Page<T> { items: T[], next_cursor: string | null }

/** How many rows at most, and after which: what the page before gave as `next_cursor`. */
export interface PagePlace { limit?: number | undefined, cursor?: string | undefined }

/**
 * One page of a list. `read` gets the key after which to start, and how many rows: one beyond the page, which tells
 * whether there is another.
 * @throws AppError `invalid_request` where the cursor is none of ours.
 */
export async function readPage<T> (
  { cursor, limit = DEFAULT_LIMIT }: PagePlace,
  { shape, key }: PageOrder<T>,
  read: (after: string | undefined, most: number) => Promise<T[]>
): Promise<Page<T>> {
  const rows = await read(decode(cursor, shape), limit + 1)
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? encode(key(items.at(-1)!)) : null }
}

/**
 * The same page with as many of its rows as fit into so many bytes of JSON, and a cursor that goes on after them [P59].
 * It keeps one row at least, so that every cursor leads further.
 */
export function fitPage<T> (page: Page<T>, key: (row: T) => string, maxBytes: number): Page<T> {
  let left = maxBytes
  const end = page.items.findIndex(row => (left -= jsonSize(row) + 1) < 0)
  if (end === -1) return page
  const items = page.items.slice(0, Math.max(1, end))
  return items.length === page.items.length ? page : { items, next_cursor: encode(key(items.at(-1)!)) }
}

function encode (key: string): string {
  return Buffer.from(key).toString('base64url')
}

function decode (cursor: string | undefined, shape: keyof typeof shapes): string | undefined {
  if (cursor === undefined) return undefined
  const key = Buffer.from(cursor, 'base64url').toString()
  if (!shapes[shape].test(key)) throw new AppError('invalid_request', { detail: 'cursor: malformed' })
  return key
}

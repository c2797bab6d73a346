import { AppError } from '../errors.ts'
import type { PageQuery } from '../schemas/common.ts'

const DEFAULT_LIMIT = 50

const shapes = {
  name: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
}

/** What a page's rows are ordered by: where its cursors point. */
export interface PageOrder<T> { shape: keyof typeof shapes, key: (row: T) => string }

/**
 * One page of a list. `read` gets the key after which to start, and how many rows: one beyond the page, which tells
 * whether there is another.
 * @throws AppError `invalid_request` where the cursor is none of ours.
 */
export async function readPage<T> (
  { cursor, limit = DEFAULT_LIMIT }: PageQuery,
  { shape, key }: PageOrder<T>,
  read: (after: string | undefined, most: number) => Promise<T[]>
): Promise<{ items: T[], next_cursor: string | null }> {
  const rows = await read(decode(cursor, shape), limit + 1)
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? Buffer.from(key(items.at(-1)!)).toString('base64url') : null }
}

function decode (cursor: string | undefined, shape: keyof typeof shapes): string | undefined {
  if (cursor === undefined) return undefined
  const key = Buffer.from(cursor, 'base64url').toString()
  if (!shapes[shape].test(key)) throw new AppError('invalid_request', { detail: 'cursor: malformed' })
  return key
}

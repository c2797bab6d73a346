import { AppError } from '../errors.ts'

const shapes = {
  name: /^[a-z0-9][a-z0-9_-]{0,63}$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
}

/** The key that a cursor stands for. @throws AppError `invalid_request` where it is none of ours. */
export function decodeCursor (cursor: string | undefined, shape: keyof typeof shapes = 'name'): string | undefined {
  if (cursor === undefined) return undefined
  const key = Buffer.from(cursor, 'base64url').toString()
  if (!shapes[shape].test(key)) throw new AppError('invalid_request', { detail: 'cursor: malformed' })
  return key
}

/** Cuts `rows`, read one beyond `limit`, to a page and says where the next one starts. */
export function page<T> (rows: T[], limit: number, key: (row: T) => string): { items: T[], next: string | null } {
  const items = rows.slice(0, limit)
  return { items, next: rows.length > limit ? Buffer.from(key(items.at(-1)!)).toString('base64url') : null }
}

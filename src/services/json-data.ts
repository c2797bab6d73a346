import { AppError } from '../errors.ts'
import { jsonSize } from '../frame-size.ts'

/** Deepest nesting of arrays and objects. */
const MAX_DEPTH = 8

/**
 * Checks a JSON value of a client's that is passed on as it came [P38]. Undefined stands for no value.
 * @throws AppError `invalid_request` for a value that is too large or too deep, or that would not come back the same: a number beyond the
 * safe integers (the parser has rounded it), a NUL or a lone surrogate in a text, a key `__proto__`.
 */
export function checkData (data: unknown, maxBytes: number): void {
  if (data === undefined) return
  const fault = faultOf(data, MAX_DEPTH) ?? (jsonSize(data) > maxBytes ? `expected at most ${maxBytes} bytes of JSON` : null)
  if (fault !== null) throw new AppError('invalid_request', { detail: `data: ${fault}` })
}

function faultOf (value: unknown, depth: number): string | null {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? 'a number is too large' : null
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? 'a text has a character that is not allowed' : null
  if (typeof value !== 'object' || value === null) return null
  if (depth === 0) return `nested deeper than ${MAX_DEPTH}`
  if (Object.hasOwn(value, '__proto__')) return 'the key __proto__ is not allowed'
  for (const [key, item] of Object.entries(value)) {
    const fault = faultOf(key, depth) ?? faultOf(item, depth - 1)
    if (fault !== null) return fault
  }
  return null
}

import { AppError } from '../errors.ts'

/** `bytes`: of JSON text in UTF-8, without white space. `depth`: how deep objects and lists may be nested. */
export interface DataLimits { bytes: number, depth: number }

/**
 * Returns the data of a message or signal as JSON text [P38]. @throws AppError `invalid_request` for a value that would come back changed,
 * or that exceeds the limits.
 */
export function toJson (data: unknown, { bytes, depth }: DataLimits): string {
  const fault = faultOf(data, depth)
  if (fault !== null) throw invalid(fault === TOO_DEEP ? `nested deeper than ${depth}` : fault)
  const json = JSON.stringify(data)
  if (Buffer.byteLength(json) > bytes) throw invalid(`larger than ${bytes} bytes`)
  return json
}

const TOO_DEEP = 'too deep'

function invalid (fault: string): AppError {
  return new AppError('invalid_request', { detail: `data: ${fault}` })
}

/** Returns what keeps the value from being stored as it came, or null. `levels`: how deep objects and lists in it may be nested. */
function faultOf (value: unknown, levels: number): string | null {
  if (typeof value === 'string') return faultOfText(value)
  // A larger integer may have been rounded when it was parsed, and a number that overflows is infinite.
  if (typeof value === 'number') return Math.abs(value) <= Number.MAX_SAFE_INTEGER ? null : 'a number beyond 2^53 - 1'
  if (typeof value !== 'object' || value === null) return null
  if (levels === 0) return TOO_DEEP
  for (const [key, child] of Object.entries(value)) {
    const fault = faultOfKey(key) ?? faultOf(child, levels - 1)
    if (fault !== null) return fault
  }
  return null
}

function faultOfKey (key: string): string | null {
  return key === '__proto__' ? 'a key __proto__' : faultOfText(key)
}

/** PostgreSQL's text cannot hold NUL, and UTF-8 cannot encode lone surrogates. */
function faultOfText (text: string): string | null {
  if (text.includes('\0')) return 'a NUL character'
  return text.isWellFormed() ? null : 'a lone surrogate'
}

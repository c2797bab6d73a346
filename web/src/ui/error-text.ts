import { ParleyError } from '@parley/client'
import { language, t } from '../text.ts'
import { toast } from './toast.tsx'

/** Returns an error as a sentence for people. */
export function errorText (error: unknown): string {
  if (!(error instanceof ParleyError)) return t.common.somethingWrong
  const text = t.errors[error.code] ?? error.message
  return error.code === 'rate_limited' && error.retryAfterMs ? `${text} ${t.common.waitFor(duration(error.retryAfterMs))}` : text
}

/** Returns how long so many milliseconds are, such as `2 min`. */
function duration (ms: number): string {
  const [unit, length] = ms <= 90_000 ? ['second', 1000] : ms <= 5_400_000 ? ['minute', 60_000] : ['hour', 3_600_000]
  return Math.ceil(ms / Number(length)).toLocaleString(language, { style: 'unit', unit: String(unit), unitDisplay: 'long' })
}

/** Does what somebody asked for, and shows the error if it fails. @returns whether it succeeded. */
export async function attempt (act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    if (!(error instanceof ParleyError)) console.error(error)
    toast(errorText(error))
    return false
  }
}

import { ParleyError } from '@parley/client'
import { t } from '../text.ts'
import { toast } from './toast.tsx'

/** Returns an error as a sentence for people. */
export function errorText (error: unknown): string {
  if (error instanceof ParleyError) return t.errors[error.code] ?? error.message
  return t.common.somethingWrong
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

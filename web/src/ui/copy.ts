import { t } from '../text.ts'
import { toast } from './toast.tsx'

/** Copies a text and says `done`. Pages that came neither over TLS nor from this machine have no clipboard: they say `failed`. */
export async function copy (text: string, done = t.people.copied, failed = t.people.notCopied): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast(done)
  } catch {
    toast(failed)
  }
}

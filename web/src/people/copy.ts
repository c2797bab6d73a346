import { t } from '../text.ts'
import { toast } from '../ui/toast.tsx'

/** Copies a text, and says whether that worked. */
export async function copy (text: string): Promise<void> {
  await navigator.clipboard.writeText(text).then(() => toast(t.people.copied), () => toast(t.people.notCopied))
}

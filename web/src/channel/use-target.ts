import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../text.ts'
import { errorText } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'
import { useTalk } from './talk.ts'

/** Milliseconds for which a message that was jumped to is marked. */
const MARKED_FOR = 3000

/**
 * Shows the message that the address names, or that somebody jumps to, once the channel is live. `toRow` scrolls to a message that is
 * loaded. @returns whether messages are being loaded for it.
 */
export function useTarget (at: string | undefined, isLive: boolean, toRow: (id: string, align: 'center') => boolean): void {
  const talk = useTalk()
  /** The message that is to be scrolled to as soon as it is rendered. */
  const wanted = useSignal<string | undefined>(undefined)

  async function jumpTo (id: string): Promise<void> {
    try {
      await talk.channel.around(id)
      wanted.value = id
    } catch (error) {
      toast(error instanceof ParleyError && error.code === 'message_not_found' ? t.channel.noMessage : errorText(error))
    }
  }
  talk.jumpTo = id => { jumpTo(id) }

  useEffect(() => { if (at !== undefined && isLive) jumpTo(at) }, [at, isLive])
  // Messages that were loaded are shown with the next frame.
  useEffect(() => {
    const id = wanted.value
    if (id === undefined || !toRow(id, 'center')) return
    wanted.value = undefined
    talk.target.value = id
    talk.active.value = id
    setTimeout(() => { if (talk.target.value === id) talk.target.value = undefined }, MARKED_FOR)
  })
}

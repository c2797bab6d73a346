import { ParleyError, type Message } from '@parley/client'
import { useSignal, type Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { errorText } from '../ui/error-text.ts'

const PAGE = 30
/** Pages that are read one after the other as long as they are empty: a search that takes long ends its pages early. */
const MAX_EMPTY = 10

interface MessageSearch {
  messages: Signal<readonly Message[]>
  state: Signal<'loading' | 'more' | 'whole' | 'failed'>
  error: Signal<string>
  /** Reads the next page. */
  more (): void
}

/** Searches the texts of messages, in one channel or in all that the person is in. */
export function useMessageSearch (query: string, channel: string | undefined): MessageSearch {
  const messages = useSignal<readonly Message[]>([])
  const state = useSignal<'loading' | 'more' | 'whole' | 'failed'>('loading')
  const error = useSignal('')
  const cursor = useRef<string | undefined>(undefined)
  const stop = useRef<AbortController | undefined>(undefined)

  async function more (): Promise<void> {
    const { signal } = stop.current!
    state.value = 'loading'
    try {
      for (let pages = 0; pages < MAX_EMPTY; pages++) {
        const from = cursor.current === undefined ? {} : { cursor: cursor.current }
        const where = channel === undefined ? {} : { channel }
        const page = await parley.rest('GET /api/messages', { query: { query, limit: PAGE, ...where, ...from } }, { signal })
        messages.value = [...messages.value, ...page.messages]
        cursor.current = page.next_cursor ?? undefined
        if (page.messages.length > 0 || cursor.current === undefined) break
      }
      state.value = cursor.current === undefined ? 'whole' : 'more'
    } catch (failure) {
      if (failure instanceof ParleyError && failure.code === 'aborted') return
      error.value = errorText(failure)
      state.value = 'failed'
    }
  }

  useEffect(() => {
    stop.current = new AbortController()
    more()
    return () => stop.current!.abort()
  }, [])
  return { messages, state, error, more }
}

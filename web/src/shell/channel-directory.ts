import type { Reply } from '@parley/client'
import { signal, type Signal } from '@preact/signals'
import { parley } from '../client.ts'
import { errorText } from '../ui/error-text.ts'

export type ListedChannel = Reply<'channel_list'>['channels'][number]

const PAGE = 100
/** Pages that a search reads at most: the server lists channels by name, but does not search in them. */
const MAX_PAGES = 20

/** The channels that this person may see, as far as they were read. */
export interface ChannelDirectory {
  channels: Signal<readonly ListedChannel[]>
  /** `more`: there are further pages. */
  state: Signal<'loading' | 'more' | 'whole' | 'failed'>
  error: Signal<string>
  /** Reads the next page; with `isAll` all of them. */
  read (isAll?: boolean): Promise<void>
}

export function createChannelDirectory (): ChannelDirectory {
  const channels = signal<readonly ListedChannel[]>([])
  const state = signal<'loading' | 'more' | 'whole' | 'failed'>('more')
  const error = signal('')
  let cursor: string | undefined
  let pages = 0
  let isAllWanted = false

  async function read (isAll = false): Promise<void> {
    isAllWanted ||= isAll
    if (state.peek() === 'loading' || state.peek() === 'whole') return
    state.value = 'loading'
    try {
      do {
        const page = await parley.request('channel_list', { limit: PAGE, ...cursor !== undefined && { cursor } })
        channels.value = [...channels.peek(), ...page.channels.filter(({ channel_type: type }) => type !== 'direct')]
        cursor = page.next_cursor ?? undefined
        pages++
      } while (isAllWanted && cursor !== undefined && pages < MAX_PAGES)
      state.value = cursor === undefined ? 'whole' : 'more'
    } catch (failure) {
      error.value = errorText(failure)
      state.value = 'failed'
    }
  }

  return { channels, state, error, read }
}

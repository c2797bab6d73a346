import type { Link } from './link.ts'
import { createLoader } from './loader.ts'
import { createView, type Readable } from './readable.ts'
import type { Notices } from './wire.ts'

/** Members of a page, and most members that are read. Larger channels have no positions, unless the server is configured so [P45]. */
const PAGE = 100
const MAX_MEMBERS = 1000

/** Up to which `seq` the other members of a small channel have read it, by user id. Empty in larger channels. */
export type Readers = Readonly<Record<string, number>>

/** Follows up to where the other members have read [P45], as long as somebody subscribes to it and the channel is open. */
export function createReaders ({ clock, rest, isMine, onFault }: Link, channelName: string, isLive: () => boolean) {
  const loader = createLoader<Readers>({
    clock, onFault, read,
    isWanted: (): boolean => view.isWatched && isLive(),
    show (members) {
      isRead = true
      set(raised(members, told))
    }
  })
  const view = createView<Readers>(() => positions, onFault, loader.load)
  const readers: Readable<Readers> = { getSnapshot: view.getSnapshot, subscribe: view.subscribe }
  let positions: Readers = {}
  let isRead = false
  /** Positions that were told while the members were read, which the answers may be older than. */
  let told: Readers = {}

  async function read (signal: AbortSignal): Promise<Readers> {
    const found: Record<string, number> = {}
    let cursor: string | undefined
    told = {}
    for (let count = 0; count < MAX_MEMBERS; count += PAGE) {
      const query = { limit: PAGE, ...cursor !== undefined && { cursor } }
      const page = await rest('GET /api/channels/:name/members', { params: { name: channelName }, query }, { signal })
      for (const { user_id: id, read_seq: seq } of page.members) if (seq !== undefined && !isMine(id)) found[id] = seq
      if (page.next_cursor === null) break
      cursor = page.next_cursor
    }
    return found
  }

  function set (next: Readers): void {
    positions = next
    view.changed()
  }

  return {
    readers,
    /** The channel was joined. */
    start: loader.load,

    /** A member has read on. */
    notice ({ user_id: id, seq }: Notices['user_read']): void {
      told = raised(told, { [id]: seq })
      if (isRead) set(raised(positions, { [id]: seq }))
    },

    /** Nothing is heard of the others any more. */
    stop (): void {
      loader.outdate()
      if (isRead) set({})
      isRead = false
    }
  }
}

/** Raises positions. They never fall. */
function raised (positions: Readers, higher: Readers): Readers {
  const next = { ...positions }
  for (const [id, seq] of Object.entries(higher)) next[id] = Math.max(seq, next[id] ?? 0)
  return next
}

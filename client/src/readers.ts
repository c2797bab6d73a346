import { jitter } from './backoff.ts'
import { createTimer } from './clock.ts'
import { ParleyError } from './errors.ts'
import type { Link } from './link.ts'
import { createView, type Readable } from './readable.ts'
import type { Notices } from './wire.ts'

/** Members of a page, and most members that are read. Larger channels have no positions, unless the server is configured so [P45]. */
const PAGE = 100
const MAX_MEMBERS = 1000

/** Up to which `seq` the other members of a small channel have read it, by user id. Empty in larger channels. */
export type Readers = Readonly<Record<string, number>>

/** Follows up to where the other members have read [P45], as long as somebody subscribes to it and the channel is open. */
export function createReaders ({ clock, rest, isMine, onFault }: Link, channelName: string, isLive: () => boolean) {
  const view = createView<Readers>(() => positions, onFault)
  const retry = createTimer(clock, read)
  let positions: Readers = {}
  let listeners = 0
  let failures = 0
  let isRead = false
  let reading: AbortController | undefined
  /** Positions that were told while the members were read, which the answers may be older than. */
  let told: Readers = {}

  function read (): void {
    if (listeners === 0 || isRead || reading || retry.isRunning || !isLive()) return
    const own = reading = new AbortController()
    told = {}
    readMembers(own.signal).then(members => {
      isRead = true
      failures = 0
      set(raised(members, told))
    }).catch((error: unknown) => {
      if (own.signal.aborted) return
      if (error instanceof ParleyError && error.again) retry.start(error.retryAfterMs ?? jitter(failures++, clock.random()))
      else onFault(error)
    }).finally(() => { if (reading === own) reading = undefined })
  }

  async function readMembers (signal: AbortSignal): Promise<Readers> {
    const found: Record<string, number> = {}
    let cursor: string | undefined
    for (let count = 0; count < MAX_MEMBERS; count += PAGE) {
      const query = { limit: PAGE, ...cursor !== undefined && { cursor } }
      const page = await rest('GET /api/channels/:name/members', { params: { name: channelName }, query }, { signal })
      signal.throwIfAborted()
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

  const readers: Readable<Readers> = {
    getSnapshot: view.getSnapshot,
    subscribe (listener) {
      let stop: (() => void) | undefined = view.subscribe(listener)
      listeners++
      read()
      return () => {
        if (!stop) return
        stop()
        stop = undefined
        listeners--
      }
    }
  }

  return {
    readers,
    /** The channel was joined. */
    start: read,

    /** A member has read on. */
    notice ({ user_id: id, seq }: Notices['user_read']): void {
      told = raised(told, { [id]: seq })
      if (isRead) set(raised(positions, { [id]: seq }))
    },

    /** Nothing is heard of the others any more. */
    stop (): void {
      reading?.abort()
      reading = undefined
      retry.stop()
      isRead = false
      if (Object.keys(positions).length > 0) set({})
    }
  }
}

/** Raises positions. They never fall. */
function raised (positions: Readers, higher: Readers): Readers {
  const next = { ...positions }
  for (const [id, seq] of Object.entries(higher)) next[id] = Math.max(seq, next[id] ?? 0)
  return next
}

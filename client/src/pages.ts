import type { Gap, History } from './history.ts'
import type { RestClient } from './rest.ts'
import type { Message, Routes } from './wire.ts'

/** The largest page of history that the server gives. */
const MAX_PAGE = 100
const DEFAULT_PAGE = 50

/**
 * Reads pages of a channel's history over REST into the window. `onChange` is called after each. While the channel is `isResuming`, nobody
 * knows whether the page and the window are of one history: the database may have been restored to an earlier moment. Then it is dropped.
 */
export function createPages ({ rest, channelName, history, isResuming, onChange }: {
  rest: RestClient, channelName: string, history: History, isResuming (): boolean, onChange (): void
}) {
  let loading: Promise<number> | undefined

  /** Reads a page and passes it to `show`, unless the window has begun anew meanwhile. */
  async function read (query: Routes['GET /api/channels/:name/messages']['query'], show: (page: Message[]) => number): Promise<number> {
    const { era } = history
    const end = history.expectPages()
    try {
      const page = await rest('GET /api/channels/:name/messages', { params: { name: channelName }, query })
      if (history.era !== era || isResuming() || page.channel_id !== history.head!.channelId) return 0
      const added = show(page.messages)
      onChange()
      return added
    } finally {
      end()
    }
  }

  async function older (count: number, where: 'gap' | 'start'): Promise<number> {
    const { oldest, head, room } = history
    if (!head) return 0
    const gap = where === 'gap' ? history.gap : undefined
    // Below all messages, a page may take what room there is; above some of them, those make room for it. A full window without a gap asks
    // for one message all the same: no answer means that the history begins with the window.
    const most = !gap ? room || 1 : (oldest ?? gap.before) < gap.before ? MAX_PAGE : room
    const limit = Math.min(count, MAX_PAGE, most)
    if (limit <= 0) return 0
    return read({ before: gap?.before ?? oldest ?? head.seq + 1, limit }, page => {
      const isLast = page.length < limit
      return history.insert(page, gap ? isLast ? undefined : holeBelow(page, gap) : history.gap, isLast)
    })
  }

  async function newer (count: number): Promise<number> {
    const { gap } = history
    if (!gap) return 0
    const limit = Math.min(count, MAX_PAGE)
    return read({ after: gap.after, limit }, page => history.insert(page, page.length < limit ? undefined : holeAbove(page, gap), false))
  }

  /** Calls at once are one, so that two pages never fill one gap. */
  function once (load: () => Promise<number>): Promise<number> {
    loading ??= load().finally(() => { loading = undefined })
    return loading
  }

  return {
    /** Loads older messages, or fills the gap from its upper end. @returns how many messages were added. */
    older: (count = DEFAULT_PAGE, where: 'gap' | 'start' = 'gap'): Promise<number> => once(() => older(count, where)),
    /** Fills the gap from its lower end. @returns how many messages were added. */
    newer: (count = DEFAULT_PAGE): Promise<number> => once(() => newer(count)),

    /** Shows a message with those around it. @throws ParleyError `message_not_found`. */
    async around (id: string): Promise<void> {
      if (history.find(id) || !history.head) return
      const { seq } = await rest('GET /api/channels/:name/messages/:id', { params: { name: channelName, id } })
      await read({ around: seq, limit: MAX_PAGE }, page => {
        history.jump(page)
        return page.length
      })
    }
  }
}

/** Returns the rest of a gap whose upper part a page has filled, undefined if nothing is left. */
function holeBelow (page: Message[], gap: Gap): Gap | undefined {
  const lowest = page[0]!.seq
  return lowest > gap.after + 1 ? { ...gap, before: lowest } : undefined
}

/** Returns the rest of a gap whose lower part a page has filled, undefined if nothing is left. */
function holeAbove (page: Message[], gap: Gap): Gap | undefined {
  const highest = page.at(-1)!.seq
  return highest < gap.before - 1 ? { ...gap, after: highest } : undefined
}

import type { Routes } from '@parley/client'
import { parley } from '../client.ts'
import type { Page } from '../people/pages.ts'

const PAGE = 100
/** Lines after which enough is shown, and most pages that are read for them. */
const ENOUGH = 30
const MAX_PAGES = 10

export type Line = Routes['GET /api/admin/log']['answer']['log'][number]

/** A search in the log. Empty fields stand for everything. */
export interface Wanted {
  channel: string
  /** Id of the one who acted, or to whom something was done. */
  person: string
  action: string
  /** Lines that are older than so many milliseconds are left out; 0 for none. */
  within: number
}

/** Reads lines that fit. The server has no filter for its log, so this reads on until some are found. */
export async function readLog (wanted: Wanted, cursor: string | undefined): Promise<Page<Line>> {
  const oldest = wanted.within === 0 ? 0 : Date.now() - wanted.within
  const items: Line[] = []
  let next = cursor ?? null
  let pages = 0
  do {
    const query = { limit: PAGE, ...next !== null && { cursor: next } }
    const { log, next_cursor: further } = await parley.rest('GET /api/admin/log', { query })
    items.push(...log.filter(line => fits(line, wanted) && Date.parse(line.created_at) >= oldest))
    // Later pages are older still.
    const isPast = log.length > 0 && Date.parse(log.at(-1)!.created_at) < oldest
    next = isPast ? null : further
    pages++
  } while (next !== null && items.length < ENOUGH && pages < MAX_PAGES)
  return { items, next }
}

function fits ({ channel, actor_id: actor, target_id: target, action: act }: Line, { channel: name, person, action }: Wanted): boolean {
  return (name === '' || (channel ?? '').includes(name)) && (person === '' || person === actor || person === target) &&
    (action === '' || action === act)
}

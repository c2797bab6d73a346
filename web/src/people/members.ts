import type { Channel, Member } from '@parley/client'
import { useEffect, useMemo } from 'preact/hooks'
import { parley } from '../client.ts'
import { know } from './names.ts'
import { createPages, type Pages } from './pages.ts'
import { refreshRoster } from './roster.ts'

const PAGE = 100
/**
 * Milliseconds until the members are read anew because somebody is not here any more, and over which that is spread for each member, so
 * that not all who look at the list read it at once.
 */
const REREAD_AFTER = 1000
const SPREAD_PER_MEMBER = 30

/**
 * The members of a channel, page by page. The server tells nobody of the end of others' memberships. So the list, and the roster, are
 * read anew after somebody has gone: they may have left, or were removed.
 */
export function useMembers (channel: Channel): Pages<Member> {
  const pages = useMemo(() => createPages<Member>(async cursor => {
    const { members, next_cursor: next } = await channel.moderate.members({ limit: PAGE, ...cursor !== undefined && { cursor } })
    know(members)
    return { items: members, next }
  }), [channel])

  useEffect(() => {
    // Guests may not read it.
    if (!parley.account.getSnapshot()) return
    let here = idsOf(channel)
    let timer: ReturnType<typeof setTimeout> | undefined
    const reread = (): void => {
      timer = undefined
      pages.refresh()
      refreshRoster(channel).catch(() => {})
    }
    const end = channel.presence.subscribe(() => {
      const before = here
      here = idsOf(channel)
      const hasGone = [...before].some(id => !here.has(id))
      const spread = SPREAD_PER_MEMBER * (channel.getSnapshot().details?.user_count ?? 0)
      if (hasGone) timer ??= setTimeout(reread, REREAD_AFTER + Math.random() * spread)
    })
    pages.refresh()
    return () => {
      end()
      clearTimeout(timer)
    }
  }, [pages])
  return pages
}

function idsOf (channel: Channel): Set<string> {
  return new Set(channel.presence.getSnapshot().online.map(({ user_id: id }) => id))
}

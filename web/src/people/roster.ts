import type { Ban, Channel, ChannelDetails, Moderator, Mute } from '@parley/client'
import { signal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { know } from './names.ts'

/** The people with a special place in a channel, by their ids. `mutes` and `bans` are known to moderators only. */
export interface Roster {
  isRead: boolean
  creator: string | null
  moderators: ReadonlyMap<string, Moderator>
  mutes: ReadonlyMap<string, Mute>
  bans: ReadonlyMap<string, Ban>
}

interface Kept { roster: ReadonlySignal<Roster>, refresh (): Promise<void> }

const PAGE = 100
/** Most rows of a list that are read. */
const MOST = 1000

const rosters = new Map<string, Kept>()

/** The roster of a channel. It changes when `refreshRoster` has read it. */
export function rosterOf (channel: Channel): ReadonlySignal<Roster> {
  return keptOf(channel).roster
}

/** Reads the roster anew, for example after an act of a moderator. @throws ParleyError */
export function refreshRoster (channel: Channel): Promise<void> {
  return keptOf(channel).refresh()
}

/** Returns the roster of a channel, and reads it when the component appears. */
export function useRoster (channel: Channel): Roster {
  const { roster, refresh } = keptOf(channel)
  // Without it, nobody is marked, and nobody is offered anything that needs it.
  useEffect(() => { refresh().catch(() => {}) }, [channel])
  return roster.value
}

/** Whether this user may moderate the channel, as *can-moderate* in the protocol says. */
export function mayModerate (details: ChannelDetails | undefined, { isRead, moderators }: Roster): boolean {
  if (!details || details.channel_type === 'direct') return false
  const { role, is_moderator: isModerator } = details.me
  if (!isRead || role === 'admin' || (role === 'moderator' && details.channel_type === 'moderator')) return isModerator
  // The roster may be newer than the join.
  return moderators.has(parley.account.getSnapshot()?.user_id ?? '')
}

/** Whether this user may say who moderates the channel: its creator and admins may. */
export function isOwner ({ creator }: Roster, details: ChannelDetails | undefined): boolean {
  return details?.me.role === 'admin' || (creator !== null && creator === parley.account.getSnapshot()?.user_id)
}

function keptOf (channel: Channel): Kept {
  let kept = rosters.get(channel.name)
  if (!kept) rosters.set(channel.name, kept = createRoster(channel))
  return kept
}

function createRoster (channel: Channel): Kept {
  const roster = signal<Roster>({ isRead: false, creator: null, moderators: new Map(), mutes: new Map(), bans: new Map() })

  async function refresh (): Promise<void> {
    // Guests may read none of it.
    if (!parley.account.getSnapshot()) return
    const { moderate } = channel
    const [{ created_by: creator }, moderators] = await Promise.all([
      parley.rest('GET /api/channels/:name', { params: { name: channel.name } }),
      readAll(async query => {
        const page = await moderate.moderators(query)
        return { rows: page.moderators, next: page.next_cursor }
      })
    ])
    roster.value = { ...roster.value, isRead: true, creator, moderators: byId(moderators) }
    if (!mayModerate(channel.getSnapshot().details, roster.value)) return
    const [mutes, bans] = await Promise.all([
      readAll(async query => {
        const page = await moderate.mutes(query)
        return { rows: page.mutes, next: page.next_cursor }
      }),
      readAll(async query => {
        const page = await moderate.bans(query)
        return { rows: page.bans, next: page.next_cursor }
      })
    ])
    roster.value = { ...roster.value, mutes: byId(mutes), bans: byId(bans) }
  }

  return { roster, refresh }
}

async function readAll<T> (read: (query: { limit: number, cursor?: string }) => Promise<{ rows: T[], next: string | null }>): Promise<T[]> {
  const found: T[] = []
  let cursor: string | null = null
  do {
    const { rows, next }: { rows: T[], next: string | null } = await read({ limit: PAGE, ...cursor !== null && { cursor } })
    found.push(...rows)
    cursor = next
  } while (cursor !== null && found.length < MOST)
  return found
}

function byId<T extends { user_id: string, username: string }> (rows: T[]): Map<string, T> {
  know(rows)
  return new Map(rows.map(row => [row.user_id, row]))
}

import type { Inbox, InboxChannel } from '@parley/client'
import { effect, signal } from '@preact/signals'
import { facts } from '../facts.ts'
import { load, save } from '../keep.ts'
import { route, type Route } from '../route.ts'
import { land } from './landing.ts'

/** Most places that are remembered as visited. */
const MAX_VISITED = 50

let byName: Intl.Collator | undefined

/** The channels in the order of the sidebar: it is stable, so that people find them where they were. */
export function sorted (channels: readonly InboxChannel[]): InboxChannel[] {
  // Making the first collator takes longer than the rest of the app until it is first painted, so it waits until it is needed.
  if (channels.length < 2) return [...channels]
  byName ??= new Intl.Collator(undefined, { numeric: true })
  const { compare } = byName
  return [...channels].sort((a, b) => compare(a.name, b.name))
}

/** The view of a channel, which for a direct channel names the other person. */
export function placeOf ({ name, peer }: Pick<InboxChannel, 'name' | 'peer'>, message?: string): Route {
  const at = message === undefined ? {} : { message }
  return peer ? { view: 'direct', user: peer.user_id, ...at } : { view: 'channel', name, ...at }
}

/** Whether the shown view is this channel's. */
export function isShown ({ name, peer }: Pick<InboxChannel, 'name' | 'peer'>): boolean {
  const shown = route.value
  switch (shown.view) {
    // On phones the start is the list itself.
    case 'home': return name === facts.defaultRoom && !matchMedia('(max-width: 44rem)').matches
    case 'channel': return shown.name === name
    case 'direct': return peer !== undefined && (shown.user === peer.user_id || shown.user === peer.handle)
    default: return false
  }
}

/** Shows the channel that comes `step` rows after the shown one; with `isUnread` the next one with unread messages. */
export function goBy (step: 1 | -1, { channels, directs }: Inbox, isUnread: boolean): void {
  const all = [...sorted(channels), ...directs]
  const from = all.findIndex(isShown)
  for (let i = 1; i <= all.length; i++) {
    const next = all[((from === -1 && step === -1 ? 0 : from) + step * i + all.length * 2) % all.length]!
    if (!isUnread || (next.unread_count > 0 && !isShown(next))) return land(placeOf(next))
  }
}

/** The places that were visited here, the latest first, by their keys. */
export const visited = signal<readonly string[]>(load('visited', keys => {
  return Array.isArray(keys) ? keys.filter(key => typeof key === 'string') : []
}))

effect(() => {
  const key = keyOf(route.value)
  if (key === undefined || visited.peek()[0] === key) return
  visited.value = [key, ...visited.peek().filter(other => other !== key)].slice(0, MAX_VISITED)
  save('visited', visited.peek())
})

/** Returns the key under which a place is remembered. */
export function keyOf (to: Route): string | undefined {
  if (to.view === 'home') return `c/${facts.defaultRoom}`
  if (to.view === 'channel') return `c/${to.name}`
  return to.view === 'direct' ? `d/${to.user}` : undefined
}

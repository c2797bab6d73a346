import type { Routes } from '@parley/client'
import { signal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { errorText } from '../ui/error-text.ts'

export type Stats = Routes['GET /api/admin/stats']['answer']

/** Seconds that are kept of each instance, which has numbers once a second. */
export const KEPT = 180
/** Milliseconds without numbers after which an instance has ended, or nobody sends them to this connection any more. */
const SILENCE = 5000

const histories = signal<ReadonlyMap<string, readonly Stats[]>>(new Map())
const failure = signal('')

/** Follows the numbers of all instances while the component is there: the latest ones of each, by the instance's id, the newest last. */
export function useStats (): { histories: ReadonlySignal<typeof histories.value>, failure: ReadonlySignal<string> } {
  useEffect(follow, [])
  return { histories, failure }
}

function follow (): () => void {
  // A chart has no room for the time in which nobody looked.
  histories.value = new Map()
  let last = 0
  const stopListening = parley.on('stats', stats => {
    last = Date.now()
    failure.value = ''
    keep(stats)
  })
  const unsubscribe = parley.subscribe(() => { if (isOnline()) watch() })
  // Another tab of this login may have ended what this one watches too, because they share a connection.
  const timer = setInterval(() => {
    forgetEnded()
    if (isOnline() && Date.now() - last > SILENCE) watch()
  }, SILENCE)
  parley.rest('GET /api/admin/stats').then(keep, error => { failure.value = errorText(error) })
  if (isOnline()) watch()
  return () => {
    stopListening()
    unsubscribe()
    clearInterval(timer)
    if (isOnline()) parley.request('unwatch_stats', {}).catch(() => {})
  }
}

const isOnline = (): boolean => parley.getSnapshot().state === 'online'

function watch (): void {
  parley.request('watch_stats', {}).catch(error => { failure.value = errorText(error) })
}

function keep (stats: Stats): void {
  const before = histories.peek().get(stats.instance) ?? []
  if (before.at(-1)?.at === stats.at) return
  histories.value = new Map([...histories.peek(), [stats.instance, [...before, stats].slice(-KEPT)]])
}

/** Numbers of an instance that has ended cease. The last ones of all stay while nothing comes. */
function forgetEnded (): void {
  const newest = Math.max(...[...histories.peek().values()].map(history => Date.parse(history.at(-1)!.at)))
  const alive = [...histories.peek()].filter(([, history]) => newest - Date.parse(history.at(-1)!.at) <= 2 * SILENCE)
  if (alive.length < histories.peek().size) histories.value = new Map(alive)
}

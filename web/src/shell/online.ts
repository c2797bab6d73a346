import { effect, signal } from '@preact/signals'
import { ParleyError, type InboxChannel } from '@parley/client'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'

/** People whose presence is asked for: those of the newest direct channels. A user may ask 60 times a minute. */
const MAX_FOLLOWED = 8
const ASKED_EVERY = 60_000

/** Whether people are online, by their ids, as far as it is known. */
export const online = signal<ReadonlyMap<string, boolean>>(new Map())

/** Takes note of who is online, as the directory says. */
export function learn (people: ReadonlyArray<{ id: string, online: boolean }>): void {
  if (people.every(({ id, online: isOnline }) => online.peek().get(id) === isOnline)) return
  online.value = new Map([...online.peek(), ...people.map(person => [person.id, person.online] as const)])
}

/** Asks now and every minute, while the page is seen, whether the people of the newest direct channels are online. @returns its end. */
export function followDirects (directs: () => readonly InboxChannel[]): () => void {
  if (!facts.directory) return () => {}
  const isSeen = signal(!document.hidden)
  const watch = (): void => { isSeen.value = !document.hidden }
  document.addEventListener('visibilitychange', watch)
  const ask = (): void => { askAll(directs().slice(0, MAX_FOLLOWED).map(({ peer }) => peer!.user_id)) }
  const stop = effect(() => {
    if (!isSeen.value) return
    ask()
    const timer = setInterval(ask, ASKED_EVERY)
    return () => clearInterval(timer)
  })
  return () => {
    stop()
    document.removeEventListener('visibilitychange', watch)
  }
}

async function askAll (ids: string[]): Promise<void> {
  for (const id of ids) {
    try {
      learn([await parley.rest('GET /api/users/:id', { params: { id } })])
    } catch (error) {
      // Presence is a nicety: without a connection or beyond the limit, it is asked for again a minute later.
      if (!(error instanceof ParleyError) || error.code !== 'user_not_found') return
      learn([{ id, online: false }])
    }
  }
}

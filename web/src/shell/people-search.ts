import type { Routes } from '@parley/client'
import { useSignal, useSignalEffect, type Signal } from '@preact/signals'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { errorText } from '../ui/error-text.ts'
import { learn } from './online.ts'

export type FoundPerson = Routes['GET /api/users']['answer']['users'][number]

/** Milliseconds without a key after which people are looked for: a user may ask 60 times a minute. */
const PAUSE = 200
const MAX_FOUND = 20

interface PeopleSearch { people: Signal<readonly FoundPerson[]>, error: Signal<string>, isLoading: Signal<boolean> }

/** Looks for people whose name or handle begins with the query, while somebody types it, and for nobody where there is no directory. */
export function usePeopleSearch (query: Signal<string>, { isEmptyAll }: { isEmptyAll: boolean }): PeopleSearch {
  const people = useSignal<readonly FoundPerson[]>([])
  const error = useSignal('')
  const isLoading = useSignal(true)
  useSignalEffect(() => {
    const wanted = query.value.trim().replace(/^@/, '')
    if (!facts.directory || parley.account.getSnapshot() === null || (wanted === '' && !isEmptyAll)) {
      people.value = []
      isLoading.value = false
      return
    }
    const stop = new AbortController()
    isLoading.value = true
    const timer = setTimeout(async () => {
      try {
        const { users } = await parley.rest('GET /api/users', { query: { query: wanted, limit: MAX_FOUND } }, { signal: stop.signal })
        people.value = users.filter(({ id }) => id !== parley.account.getSnapshot()?.user_id)
        error.value = ''
        learn(users)
      } catch (failure) {
        if (stop.signal.aborted) return
        people.value = []
        error.value = errorText(failure)
      }
      isLoading.value = false
    }, wanted === '' ? 0 : PAUSE)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  })
  return { people, error, isLoading }
}

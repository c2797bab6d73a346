import type { Person } from '@parley/client'
import { signal } from '@preact/signals'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { t } from '../text.ts'

/** Most names that are kept; the oldest go first. */
const MOST = 5000
/** Most names that are looked up in a minute. The directory answers 60 requests a minute, and people search in it too. */
const LOOKUPS_A_MINUTE = 30

/** Names of people by their ids, null for those who have no account any more. */
const names = signal<ReadonlyMap<string, string | null>>(new Map())
const asked = new Set<string>()
let lookups = 0

/** Remembers the names of people whom some list has shown. */
export function know (people: Iterable<Person>): void {
  const fresh = [...people].filter(({ user_id: id, username }) => names.peek().get(id) !== username)
  if (fresh.length > 0) remember(fresh.map(({ user_id: id, username }) => [id, username]))
}

function remember (found: Array<[id: string, name: string | null]>): void {
  names.value = new Map([...names.peek(), ...found].slice(-MOST))
}

/**
 * Returns the name of a person of whom only the id is known. What renders it is rendered anew when the name is found out.
 * @returns undefined while it is not known, null if nobody has this id any more.
 */
export function nameOf (id: string): string | null | undefined {
  const me = parley.account.getSnapshot()
  if (me?.user_id === id) return me.username
  const name = names.value.get(id)
  if (name === undefined) lookUp(id)
  return name
}

/** Returns what stands for this person in a sentence: their name, or a word for it while it is not known or if they have no account. */
export function labelOf (id: string): string {
  const name = nameOf(id)
  if (name === undefined) return asked.has(id) ? '…' : t.people.somebody
  return name ?? t.people.deleted
}

function lookUp (id: string): void {
  if (!facts.directory || asked.has(id) || lookups >= LOOKUPS_A_MINUTE) return
  asked.add(id)
  if (lookups++ === 0) setTimeout(beginMinute, 60_000)
  parley.rest('GET /api/users/:id', { params: { id } }).then(
    ({ name }) => remember([[id, name]]),
    error => {
      if (error.code === 'user_not_found') remember([[id, null]])
      else asked.delete(id)
    }
  )
}

/** Renders anew what shows names, which asks for those that the last minute had no room for. */
function beginMinute (): void {
  lookups = 0
  names.value = new Map(names.peek())
}

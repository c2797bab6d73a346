import { textOf } from './calls.ts'
import { createTimer } from './clock.ts'
import type { Link } from './link.ts'
import { createView, type Readable } from './readable.ts'
import type { Notices, Person, Reply } from './wire.ts'

/** Most people that are listed. */
const MAX_LISTED = 1000
/** Milliseconds after which a number is read anew that notices have changed: without a list it may drift. */
const RECOUNTED_AFTER = 30_000

/** The people who are online in a channel: at most 1000 of them, none where the channel only counts. `count` is their total number. */
export interface Presence { online: readonly Person[], count: number }

type Mode = 'list' | 'count' | 'off'

/** Follows who is online. The list is read after each join, and notices change it. */
export function createPresence ({ calls, clock, me, onFault }: Link, channelName: string, mode: Mode) {
  const recount = createTimer(clock, read)
  const view = createView<Presence>(() => ({ online: mode === 'list' ? [...listed.values()] : [], count }), onFault)
  let listed = new Map<string, Person>()
  /** Whether people are online of whom notices have told since the list was read. */
  let told = new Map<string, boolean>()
  let count = 0
  /** Notices that came while the list was read: it may or may not know of them. */
  let early: Array<[Person, boolean]> | undefined

  function set ({ user_id, username }: Person, isOnline: boolean): void {
    // Somebody who is not listed may be beyond the end of the list: what matters is what was told of them last.
    const was = told.get(user_id) ?? (listed.has(user_id) || !isOnline)
    told.set(user_id, isOnline)
    if (isOnline !== was) count += isOnline ? 1 : -1
    if (!isOnline) listed.delete(user_id)
    else if (listed.size < MAX_LISTED) listed.set(user_id, { user_id, username })
  }

  function read (): void {
    if (mode === 'off') return
    recount.stop()
    const own: Array<[Person, boolean]> = early = []
    const limit = mode === 'list' ? MAX_LISTED : 1
    calls.start(textOf('user_list', { channel: channelName, limit }), (error, reply) => {
      if (early !== own) return
      early = undefined
      if (error) return
      const { users, count: total } = reply as Reply<'user_list'>
      listed = new Map(users.map(user => [user.user_id, user]))
      // Notices about this user say nothing new.
      told = new Map([[me()!.user_id, true]])
      count = total
      for (const [person, isOnline] of own) set(person, isOnline)
      view.changed()
    })
  }

  const presence: Readable<Presence> = { getSnapshot: view.getSnapshot, subscribe: view.subscribe }

  return {
    presence,
    /** The channel was joined. */
    start: read,

    /** Somebody came or went. */
    notice ({ user_id, username }: Notices['user_joined'], isOnline: boolean): void {
      if (mode === 'off') return
      const person = { user_id, username }
      if (early) {
        early.push([person, isOnline])
        return
      }
      set(person, isOnline)
      if ((mode === 'count' || listed.size === MAX_LISTED) && !recount.isRunning) recount.start(RECOUNTED_AFTER)
      // What is remembered stays bounded.
      if (told.size > 2 * MAX_LISTED) read()
      view.changed()
    },

    stop (): void {
      recount.stop()
      early = undefined
      listed = new Map()
      told = new Map()
      count = 0
      view.changed()
    }
  }
}

import type { Person } from '../schemas/channel.ts'
import { createLinger } from './linger.ts'
import type { StepResult } from './scripts.ts'
import type { Announce, PresenceChange, PresentChannel } from './presence.ts'

export type Operation = 'enter' | 'exit' | 'missing' | 'settle'
export interface Step { entry: Entry, operation: Operation }

/** What this instance knows of one user in one channel. */
export interface Entry {
  readonly key: string
  channel: PresentChannel
  user: Person
  /** He has connections here. */
  here: boolean
  /** Redis counts him as being here. */
  held: boolean
  /** Redis says that his departure is ours to announce. */
  marked: boolean
  /** He stayed away long enough: it is to be announced now. */
  due: boolean
  /** Redis lost its data while the others knew of him, so entering again is no news. */
  known: boolean
  /** Redis lost its data, and he left meanwhile: unless he is elsewhere, the others are to hear of it. */
  missing: boolean
  /** What only this instance's subscribers have heard, as Redis could not be reached. */
  told: PresenceChange | undefined
}

export interface EntriesDeps {
  announce: Announce
  /** For how many milliseconds a departure waits for a return. */
  coalesce: number
  isUp (): boolean
  /** Something waits for `take`. */
  onDirty (): void
}

export type Entries = ReturnType<typeof createEntries>

/** This instance's part of presence: what is to be brought to Redis, and who is to be told what when it answers or does not. */
export function createEntries ({ announce, coalesce, isUp, onDirty }: EntriesDeps) {
  const entries = new Map<string, Entry>()
  const dirty = new Set<Entry>()
  const local = new Map<string, Set<string>>()
  const waiting = createLinger<Entry>(coalesce, due => due.forEach(waited))
  const delayed = createLinger<Entry>(delayOf(coalesce), due => { for (const entry of due) tell(entry, 'user_joined') })

  function open (channel: PresentChannel, user: Person): Entry {
    const key = `${channel.id}|${user.user_id}`
    let entry = entries.get(key)
    if (!entry) {
      entry = { key, channel, user, here: false, held: false, marked: false, due: false, known: false, missing: false, told: undefined }
      entries.set(key, entry)
    }
    return entry
  }

  function touch (entry: Entry): void {
    dirty.add(entry)
    onDirty()
  }

  function tell (entry: Entry, change: PresenceChange): void {
    announce(change, entry.channel, entry.user, entry.told === change ? 'elsewhere' : 'everyone')
    entry.told = undefined
  }

  /** The others cannot be reached: they are told later of what is then still so. */
  function tellHere (entry: Entry, change: PresenceChange): void {
    announce(change, entry.channel, entry.user, 'everyone')
    // Who came and left, or left and came back, is no news to the others.
    entry.told = entry.told === undefined ? change : undefined
  }

  function waited (entry: Entry): void {
    if (entry.here) touch(entry)
    else if (!isUp()) tellHere(entry, 'user_left')
    else if (entry.marked) {
      entry.due = true
      touch(entry)
    } else if (entry.told === 'user_joined') tellHere(entry, 'user_left')
    forget(entry)
  }

  function forget (entry: Entry): void {
    const { key, here, held, marked, missing } = entry
    if (!here && !held && !marked && !missing && !dirty.has(entry) && !waiting.has(key)) entries.delete(key)
  }

  /** He is online on another instance, though the subscribers here were told that he left. */
  function correct (entry: Entry): void {
    if (!entry.here && entry.told === 'user_left') announce('user_joined', entry.channel, entry.user, 'everyone')
    entry.told = undefined
  }

  /** Redis cannot be asked about this entry's latest change. */
  function fallBack (entry: Entry): void {
    const { key, here, held, marked, known, told } = entry
    if (here && !held && !marked && !known && told === undefined) tellHere(entry, 'user_joined')
    if (!here && (held || marked || entry.missing) && told !== 'user_left' && !waiting.has(key)) waiting.add(key, entry)
  }

  function reconcile (entry: Entry, flag: string | undefined): void {
    const held = flag === '0' || flag === '1'
    // Held in Redis but not acknowledged to us: entering again tells whether it is ours to announce.
    entry.held = entry.here ? entry.held && held : held
    entry.marked = flag === '-'
    entry.due = entry.marked && !entry.here && !waiting.has(entry.key)
    if (operationOf(entry)) touch(entry)
  }

  function reconcileEmptied (entry: Entry): void {
    const wasOnline = entry.held || entry.marked || entry.known || entry.missing
    entry.held = entry.marked = entry.due = entry.missing = false
    if (!entry.here) entry.missing = wasOnline
    else if (wasOnline) entry.known = true
    // Whether he is new to all shows when the other instances have entered their users again.
    else if (entry.told) { waiting.add(entry.key, entry); return }
    if (entry.here || entry.missing) touch(entry)
  }

  return {
    get size () { return entries.size },

    enter (channel: PresentChannel, user: Person): void {
      const entry = open(channel, user)
      if (entry.here) return
      entry.here = true
      entry.user = user
      entry.channel = channel
      if (entry.missing) entry.known = true
      entry.missing = entry.due = false
      let users = local.get(channel.id)
      if (!users) local.set(channel.id, users = new Set())
      users.add(user.user_id)
      if (!waiting.cancel(entry.key) && !isUp()) tellHere(entry, 'user_joined')
      touch(entry)
    },

    exit (channel: PresentChannel, user: Person): void {
      const entry = entries.get(`${channel.id}|${user.user_id}`)
      if (!entry?.here) return
      entry.here = false
      const users = local.get(channel.id)!
      users.delete(user.user_id)
      if (users.size === 0) local.delete(channel.id)
      const wasWaiting = waiting.cancel(entry.key)
      if (wasWaiting || !isUp() || (entry.marked && !entry.held)) waiting.add(entry.key, entry)
      touch(entry)
    },

    /** What is to be done in Redis now. Each step ends in `done` or `failed`. */
    take (): Step[] {
      const steps: Step[] = []
      const batch = [...dirty]
      dirty.clear()
      for (const entry of batch) {
        const operation = operationOf(entry)
        if (operation) steps.push({ entry, operation })
        else forget(entry)
      }
      return steps
    },

    done ({ entry, operation }: Step, result: StepResult): void {
      entry.held = operation === 'enter'
      entry.marked = result === 1 && (operation === 'exit' || operation === 'missing')
      entry.due = false
      if (operation === 'enter') {
        if (result === 2 && !entry.known && !entry.told) delayed.add(entry.key, entry)
        else if (result > 0 && !entry.known) tell(entry, 'user_joined')
        entry.known = false
        entry.told = undefined
      } else if (operation === 'settle' && result === 1) tell(entry, 'user_left')
      else if (result === 0) correct(entry)

      if (operation === 'missing') entry.missing = false
      if (operationOf(entry)) touch(entry)
      else if (entry.marked && !entry.here) waiting.add(entry.key, entry)
      forget(entry)
    },

    failed (steps: Step[]): void {
      for (const { entry } of steps) {
        dirty.add(entry)
        if (!isUp()) fallBack(entry)
      }
      onDirty()
    },

    wentDown (): void { dirty.forEach(fallBack) },

    /**
     * `own`: what Redis has of this instance, flag and info by field. `emptied`: it lost its data. The others enter their users
     * again too; those who are new follow at half of `grace` (ms), and who is then still missing at its end has left.
     */
    cameUp (own: Map<string, string>, emptied: boolean, grace: number): void {
      dirty.clear()
      for (const [field, value] of own) adopt(field, value.slice(1))
      const now = performance.now()
      if (emptied) waiting.hold(now + grace / 2)
      for (const entry of entries.values()) {
        if (emptied) reconcileEmptied(entry)
        else reconcile(entry, own.get(entry.key)?.[0])
        forget(entry)
      }
      if (emptied) waiting.hold(now + grace)
    },

    /** A dead instance's user whose departure is now ours to announce. */
    takeOver (field: string, info: string): void {
      const entry = adopt(field, info)
      entry.marked = true
      if (!entry.here) waiting.add(entry.key, entry)
    },

    pending: () => dirty.size > 0,
    users: (channelId: string): ReadonlySet<string> => local.get(channelId) ?? new Set(),
    /** Everyone leaves. */
    clear (): void {
      local.clear()
      for (const entry of entries.values()) {
        if (!entry.here) continue
        entry.here = false
        touch(entry)
      }
    },
    close (): void {
      waiting.close()
      delayed.close()
    }
  }

  function adopt (field: string, info: string): Entry {
    const [channelId, userId] = field.split('|') as [string, string]
    const [name, username] = JSON.parse(info) as [string, string]
    return open({ id: channelId, name }, { user_id: userId, username })
  }
}

/** What Redis keeps with a field, for whoever must announce the departure. */
export function infoOf ({ channel, user }: Entry): string {
  return JSON.stringify([channel.name, user.username])
}

/**
 * How much later a join is announced when another instance has just announced the departure, which may still be under way: less
 * than a departure waits, so that the next one cannot overtake.
 */
export function delayOf (coalesce: number): number {
  return Math.ceil(coalesce / 2)
}

function operationOf ({ here, held, marked, due, missing }: Entry): Operation | undefined {
  if (here) return held ? undefined : 'enter'
  if (held) return 'exit'
  if (missing) return 'missing'
  return marked && due ? 'settle' : undefined
}

import type { Person } from '../schemas/channel.ts'
import { createLinger } from './linger.ts'
import type { StepResult } from './scripts.ts'
import type { Announce, PresenceChange, PresentChannel } from './presence.ts'

/** What `presenceApply` is asked to do with one field of Redis. */
export type Operation = 'enter' | 'exit' | 'missing' | 'settle'
export interface Step { entry: PresenceEntry, operation: Operation }

/**
 * What Redis has of a user in a channel for this instance:
 * - `absent`: nothing.
 * - `held`: it counts the user as being here.
 * - `leaving`: it says that this instance announces the user's departure; the wait for a return is not over.
 * - `due`: as `leaving`, and the wait is over.
 * - `lost`: nothing, because Redis lost its data while the other instances knew the user to be online.
 */
type Standing = 'absent' | 'held' | 'leaving' | 'due' | 'lost'

/** What this instance knows of one user in one channel. */
export interface PresenceEntry {
  readonly key: string
  channel: PresentChannel
  user: Person
  /** The user has connections here. */
  here: boolean
  standing: Standing
  /** What only this instance's subscribers have been told, because Redis could not be reached. */
  told: PresenceChange | undefined
}

/** What brings Redis in line with whether the user is here. */
const OPERATIONS: Record<Standing, { here: Operation | undefined, away: Operation | undefined }> = {
  absent: { here: 'enter', away: undefined },
  held: { here: undefined, away: 'exit' },
  leaving: { here: 'enter', away: undefined },
  due: { here: 'enter', away: 'settle' },
  // Entering again is no news to the others; somebody who is not here may still be on another instance.
  lost: { here: 'enter', away: 'missing' }
}

/** What Redis has after an operation: where the departure is this instance's to announce, it answers 1. */
const OUTCOMES: Record<Operation, { ours: Standing, otherwise: Standing }> = {
  enter: { ours: 'held', otherwise: 'held' },
  exit: { ours: 'leaving', otherwise: 'absent' },
  missing: { ours: 'leaving', otherwise: 'absent' },
  settle: { ours: 'absent', otherwise: 'absent' }
}

export interface EntriesDeps {
  announce: Announce
  /** For how many milliseconds a departure waits for a return. */
  coalesce: number
  /** Whether Redis can be reached. */
  isUp (): boolean
  /** Called when there are steps for `take`. */
  onDirty (): void
}

export type Entries = ReturnType<typeof createEntries>

/** This instance's part of presence: which steps Redis has to take, and what subscribers are told when it answers or does not. */
export function createEntries ({ announce, coalesce, isUp, onDirty }: EntriesDeps) {
  const entries = new Map<string, PresenceEntry>()
  const dirty = new Set<PresenceEntry>()
  /** Users who have connections here, by channel. */
  const local = new Map<string, Set<string>>()
  /** Departures that wait for a return. */
  const waiting = createLinger<PresenceEntry>(coalesce, due => due.forEach(waited))
  /** Arrivals that wait until another instance has announced the departure before them. */
  const delayed = createLinger<PresenceEntry>(delayOf(coalesce), due => { for (const entry of due) tell(entry, 'user_joined') })

  function open (channel: PresentChannel, user: Person): PresenceEntry {
    const key = `${channel.id}|${user.user_id}`
    let entry = entries.get(key)
    if (!entry) {
      entry = { key, channel, user, here: false, standing: 'absent', told: undefined }
      entries.set(key, entry)
    }
    return entry
  }

  function touch (entry: PresenceEntry): void {
    dirty.add(entry)
    onDirty()
  }

  function tell (entry: PresenceEntry, change: PresenceChange): void {
    announce(change, entry.channel, entry.user, entry.told === change ? 'elsewhere' : 'everyone')
    entry.told = undefined
  }

  /** The other instances cannot be reached: they are told later, of what is still so by then. */
  function tellHere (entry: PresenceEntry, change: PresenceChange): void {
    announce(change, entry.channel, entry.user, 'everyone')
    // An arrival and a departure cancel out: together they are no news to the others.
    entry.told = entry.told === undefined ? change : undefined
  }

  function waited (entry: PresenceEntry): void {
    if (entry.here) touch(entry)
    else if (!isUp()) tellHere(entry, 'user_left')
    else if (isLeaving(entry)) {
      entry.standing = 'due'
      touch(entry)
    } else if (entry.told === 'user_joined') tellHere(entry, 'user_left')
    forget(entry)
  }

  function forget (entry: PresenceEntry): void {
    const { key, here, standing } = entry
    if (!here && standing === 'absent' && !dirty.has(entry) && !waiting.has(key)) entries.delete(key)
  }

  /** The user is online on another instance, though this instance's subscribers were told that they left. */
  function correct (entry: PresenceEntry): void {
    if (!entry.here && entry.told === 'user_left') announce('user_joined', entry.channel, entry.user, 'everyone')
    entry.told = undefined
  }

  /** Redis cannot be asked about this entry's latest change: this instance's subscribers are told what it knows. */
  function fallBack (entry: PresenceEntry): void {
    const { key, here, standing, told } = entry
    if (here && standing === 'absent' && told === undefined) tellHere(entry, 'user_joined')
    if (!here && standing !== 'absent' && told !== 'user_left' && !waiting.has(key)) waiting.add(key, entry)
  }

  /** Redis is back with its data; `flag` is what it has of this entry. */
  function reconcile (entry: PresenceEntry, flag: string | undefined): void {
    const isHeld = flag === '0' || flag === '1'
    if (flag === '-') entry.standing = entry.here || waiting.has(entry.key) ? 'leaving' : 'due'
    // An `enter` whose answer was lost is repeated: its answer says whether the arrival is this instance's to announce.
    else if (isHeld && (!entry.here || entry.standing === 'held')) entry.standing = 'held'
    else if (entry.standing !== 'lost') entry.standing = 'absent'
    if (operationOf(entry)) touch(entry)
  }

  /** Redis is back without its data. */
  function reconcileEmptied (entry: PresenceEntry): void {
    const wasOnline = entry.standing !== 'absent'
    entry.standing = wasOnline ? 'lost' : 'absent'
    // Whether the user is new to everyone shows when the other instances have entered their users again.
    if (entry.here && !wasOnline && entry.told) waiting.add(entry.key, entry)
    else if (entry.here || wasOnline) touch(entry)
  }

  return {
    get size () { return entries.size },

    enter (channel: PresentChannel, user: Person): void {
      const entry = open(channel, user)
      if (entry.here) return
      entry.here = true
      entry.user = user
      entry.channel = channel
      if (entry.standing === 'due') entry.standing = 'leaving'
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
      if (wasWaiting || !isUp() || isLeaving(entry)) waiting.add(entry.key, entry)
      touch(entry)
    },

    /** The steps that Redis has to take now. Each ends in `done` or `failed`. */
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
      const isNews = entry.standing !== 'lost'
      entry.standing = OUTCOMES[operation][result === 1 ? 'ours' : 'otherwise']
      if (operation === 'enter') {
        if (result === 2 && isNews && !entry.told) delayed.add(entry.key, entry)
        else if (result > 0 && isNews) tell(entry, 'user_joined')
        entry.told = undefined
      } else if (operation === 'settle' && result === 1) tell(entry, 'user_left')
      else if (result === 0) correct(entry)

      if (operationOf(entry)) touch(entry)
      else if (isLeaving(entry) && !entry.here) waiting.add(entry.key, entry)
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
     * Redis can be reached again. `own`: what it has of this instance, flag and info by field. `emptied`: it lost its data. Then the
     * other instances enter their users again too; new arrivals are told of at half of `grace` (ms), and users who are missing at its end
     * have left.
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

    /** The user was on an instance that died: this instance announces the departure, unless they return before. */
    takeOver (field: string, info: string): void {
      const entry = adopt(field, info)
      entry.standing = 'leaving'
      if (entry.here) touch(entry)
      else waiting.add(entry.key, entry)
    },

    pending: () => dirty.size > 0,
    users: (channelId: string): ReadonlySet<string> => local.get(channelId) ?? new Set(),
    /** All of this instance's users leave. */
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

  function adopt (field: string, info: string): PresenceEntry {
    const [channelId, userId] = field.split('|') as [string, string]
    const [name, username] = JSON.parse(info) as [string, string]
    return open({ id: channelId, name }, { user_id: userId, username })
  }
}

/** What Redis keeps with a field, for the instance that announces the departure. */
export function infoOf ({ channel, user }: PresenceEntry): string {
  return JSON.stringify([channel.name, user.username])
}

/**
 * How many milliseconds later a join is announced when another instance has just announced the departure, which may still be under way:
 * less than a departure waits, so that the next departure cannot overtake it.
 */
export function delayOf (coalesce: number): number {
  return Math.ceil(coalesce / 2)
}

function isLeaving ({ standing }: PresenceEntry): boolean {
  return standing === 'leaving' || standing === 'due'
}

function operationOf ({ here, standing }: PresenceEntry): Operation | undefined {
  return OPERATIONS[standing][here ? 'here' : 'away']
}

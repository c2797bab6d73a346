import type { Person } from '../schemas/channel.ts'
import { createLinger } from './linger.ts'
import type { StepResult, StoredEntry } from './scripts.ts'
import type { Announce, PresenceChange, PresentChannel } from './presence.ts'

/** An operation of the script `presenceApply` on one entry (a user in a channel) in Redis. */
export type Operation = 'enter' | 'exit' | 'missing' | 'settle'
export interface Step { entry: PresenceEntry, operation: Operation }

/**
 * What Redis stores about a user in a channel for this instance:
 * - `absent`: nothing.
 * - `held`: the user is online on this instance.
 * - `leaving`: this instance has to announce the user's departure, but still waits for a return.
 * - `due`: as `leaving`, and the wait is over.
 * - `lost`: nothing, because Redis lost data while the other instances knew that the user was online.
 */
type Standing = 'absent' | 'held' | 'leaving' | 'due' | 'lost'

/** What this instance knows of one user in one channel. */
export interface PresenceEntry {
  readonly key: string
  channel: PresentChannel
  user: Person
  /** The user has connections to this instance. */
  here: boolean
  standing: Standing
  /** The change that only this instance's subscribers have been told of, because Redis could not be reached. */
  told: PresenceChange | undefined
}

/** The operation that brings Redis in line with the user's connections: `here` where this instance has some, `away` where it has none. */
const OPERATIONS: Record<Standing, { here: Operation | undefined, away: Operation | undefined }> = {
  absent: { here: 'enter', away: undefined },
  held: { here: undefined, away: 'exit' },
  leaving: { here: 'enter', away: undefined },
  due: { here: 'enter', away: 'settle' },
  // The other instances already know a user who is here; a user who is away may still be online on another instance.
  lost: { here: 'enter', away: 'missing' }
}

/** The standing after an operation: `ours` where Redis answers 1 (this instance announces the departure), otherwise `otherwise`. */
const OUTCOMES: Record<Operation, { ours: Standing, otherwise: Standing }> = {
  enter: { ours: 'held', otherwise: 'held' },
  exit: { ours: 'leaving', otherwise: 'absent' },
  missing: { ours: 'leaving', otherwise: 'absent' },
  settle: { ours: 'absent', otherwise: 'absent' }
}

interface EntriesDeps {
  announce: Announce
  /** Milliseconds that a departure waits for a return. */
  coalesce: number
  /** Tells whether Redis can be reached. */
  isUp (): boolean
  /** Called when `take` has steps to return. */
  onDirty (): void
}

export type Entries = ReturnType<typeof createEntries>

/** Keeps this instance's view of presence: the steps that Redis has to perform, and what subscribers are told with and without Redis. */
export function createEntries ({ announce, coalesce, isUp, onDirty }: EntriesDeps) {
  const entries = new Map<string, PresenceEntry>()
  const dirty = new Set<PresenceEntry>()
  /** Ids of the users who have connections to this instance, by channel id. */
  const local = new Map<string, Set<string>>()
  /** Departures that wait for a return. */
  const waiting = createLinger<PresenceEntry>(coalesce, due => due.forEach(waited))
  /** Arrivals that wait until the other instances have entered their users again: only then can Redis tell whether the user is new. */
  const arriving = createLinger<PresenceEntry>(0, due => due.forEach(arrived))
  /** Arrivals whose announcement waits until another instance has announced the departure before it. */
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

  /** Tells this instance's subscribers only. The other instances cannot be reached and are told later, if the change still holds then. */
  function tellHere (entry: PresenceEntry, change: PresenceChange): void {
    announce(change, entry.channel, entry.user, 'everyone')
    // An arrival and a departure cancel out: the other instances need to hear of neither.
    entry.told = entry.told === undefined ? change : undefined
  }

  function arrived (entry: PresenceEntry): void {
    touch(entry)
    if (!isUp()) fallBack(entry)
  }

  function waited (entry: PresenceEntry): void {
    if (!isUp()) tellHere(entry, 'user_left')
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

  /** Corrects a `user_left` that only this instance's subscribers were told, although the user is online on another instance. */
  function correct (entry: PresenceEntry): void {
    if (!entry.here && entry.told === 'user_left') announce('user_joined', entry.channel, entry.user, 'everyone')
    entry.told = undefined
  }

  /** Handles an entry's latest change by this instance's own knowledge, because Redis cannot be reached. */
  function fallBack (entry: PresenceEntry): void {
    const { key, here, standing, told } = entry
    if (here && standing === 'absent' && told === undefined) tellHere(entry, 'user_joined')
    if (!here && standing !== 'absent' && told !== 'user_left' && !waiting.has(key)) waiting.add(key, entry)
  }

  /** Reconciles an entry after Redis came back with its data. `flag` is the entry's flag in Redis. */
  function reconcile (entry: PresenceEntry, flag: string | undefined): void {
    const isHeld = flag === '0' || flag === '1'
    if (flag === '-') entry.standing = entry.here || waiting.has(entry.key) ? 'leaving' : 'due'
    // An `enter` without an answer is repeated, because the answer tells whether this instance has to announce the arrival.
    else if (isHeld && (!entry.here || entry.standing === 'held')) entry.standing = 'held'
    // A `settle` without an answer may have ended the entry before anybody announced the departure: Redis is asked once more.
    else if (isLeaving(entry)) entry.standing = 'lost'
    else if (entry.standing !== 'lost') entry.standing = 'absent'
    if (operationOf(entry) && !arriving.has(entry.key)) touch(entry)
  }

  /** Prepares an entry for a new epoch. `isStored`: Redis has the entry of an earlier epoch. */
  function reenter (entry: PresenceEntry, isStored: boolean, isReaped: boolean): void {
    // Other instances have announced the departures of the entries that they took over.
    const wasOnline = isStored || (entry.standing !== 'absent' && !isReaped)
    entry.standing = wasOnline ? 'lost' : 'absent'
    if (wasOnline) touch(entry)
    else if (entry.here) arriving.add(entry.key, entry)
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
      if (entry.standing === 'absent' && arriving.isHeld()) arriving.add(entry.key, entry)
      else touch(entry)
    },

    exit (channel: PresentChannel, user: Person): void {
      const entry = entries.get(`${channel.id}|${user.user_id}`)
      if (!entry?.here) return
      entry.here = false
      const users = local.get(channel.id)!
      users.delete(user.user_id)
      if (users.size === 0) local.delete(channel.id)
      const wasArriving = arriving.cancel(entry.key)
      if (wasArriving || !isUp() || isLeaving(entry)) waiting.add(entry.key, entry)
      touch(entry)
    },

    /** Returns the steps that Redis has to perform now. The caller passes each of them to `done` or `failed`. */
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
     * Reconciles all entries when this instance has joined. `own` is what Redis stores for this instance, by field.
     * `renewal` means that all instances enter their users again, because the epoch is a new one. Arrivals then wait until half of `hold`
     * (ms) is over; users who are still missing at its end have left. `isReaped`: other instances took over entries that are not in `own`.
     */
    joined (own: Map<string, StoredEntry>, renewal?: { hold: number, isReaped: boolean }): void {
      dirty.clear()
      for (const [field, { info }] of own) adopt(field, info)
      if (renewal) {
        const now = performance.now()
        arriving.hold(now + renewal.hold / 2)
        waiting.hold(now + renewal.hold)
      }
      for (const entry of entries.values()) {
        const stored = own.get(entry.key)
        if (renewal) reenter(entry, stored !== undefined, renewal.isReaped)
        else reconcile(entry, stored?.counts ? stored.flag : undefined)
        forget(entry)
      }
    },

    /** Takes over a user of an instance that died: this instance announces the departure unless the user returns first. */
    takeOver (field: string, info: string): void {
      const entry = adopt(field, info)
      entry.standing = 'leaving'
      if (entry.here) touch(entry)
      else waiting.add(entry.key, entry)
    },

    pending: () => dirty.size > 0,
    users: (channelId: string): ReadonlySet<string> => local.get(channelId) ?? new Set(),
    /** Ids of the channels in which users have connections to this instance. */
    channels: (): string[] => [...local.keys()],
    /** Makes all of this instance's users leave. */
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
      arriving.close()
      delayed.close()
    }
  }

  function adopt (field: string, info: string): PresenceEntry {
    const [channelId, userId] = field.split('|') as [string, string]
    const [name, username] = JSON.parse(info) as [string, string]
    return open({ id: channelId, name }, { user_id: userId, username })
  }
}

/** Returns the names that Redis stores with an entry, so that any instance can announce the departure. */
export function infoOf ({ channel, user }: PresenceEntry): string {
  return JSON.stringify([channel.name, user.username])
}

/**
 * Milliseconds by which an arrival's announcement is delayed when another instance has just announced the departure, which may still be on
 * its way. The delay is shorter than the wait of a departure, so that the user's next departure cannot overtake the arrival.
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

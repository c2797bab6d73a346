import type { EntriesEvent } from '../broker/broker.ts'
import { idOfKey, type Entry } from '../schemas/message.ts'
import { encodeEntries } from './frames.ts'
import { after, consecutive, lastSeqOf, untold } from './runs.ts'

/** Milliseconds that an early entry waits for the entries before it. After that, the database is asked for them. */
const HOLD_MS = 50
/** Most early runs that wait. Further ones are dropped and read from the database later. */
const MAX_HELD = 64
/** Least and (roughly) greatest number of newest entries whose keys are remembered once an entry has come over the bus. */
const MIN_REMEMBERED = 16
const MAX_REMEMBERED = 50_000
/** Milliseconds for which a key is remembered after the database has its `seq`: the true entry may arrive over the bus only then. */
const REMEMBER_MS = 1000
/** Milliseconds after a false entry during which entries from the bus are not delivered: they only cause a query of the database. */
const DISTRUST_MS = 60_000

export interface SequencerDeps {
  /** Receives every entry once, in order of `seq`, without a gap [P27]. */
  deliver (event: EntriesEvent): void
  messages: {
    /** Reads the next entries with `after < seq <= upTo` from the database, as many as one read may bring [P52]. */
    missing (channelId: string, after: number, upTo: number): Promise<Entry[]>
    /** Returns whether this instance is committing the entry and has not acked it yet. Then only its batch may deliver it. */
    isInFlight (entry: Entry): boolean
  }
  /** Returns whether more may be sent now. If not, the entries are read from the database later [P52]. */
  hasRoom (): boolean
  onFault (error: unknown): void
  /** Called when the database must confirm what the bus says. `catchUp` must then be called with the database's `lastSeq`. */
  onDoubt (): void
  /** Called when a false entry makes delivery go back. `committed`: the last `seq` in the database. Delivery resumes there or before. */
  onReturn (committed: number): void
  /** Most bytes that are accepted from the bus before the database is asked whether their entries exist. */
  maxUnvouched: number
  /** `found`: how often the database had entries that were missing here, or did not answer. `repaired`: how often such a gap was closed. */
  gaps: { found: number, repaired: number }
}

/**
 * Puts the entries of one channel in order for this instance's subscribers: it drops an entry that has been delivered, delivers the next
 * one, and holds an early one. The bus only gives hints; entries that it loses are read from the database [P33].
 *
 * An entry from the bus may also be false [P60]. This shows when the database has not reached its `seq`, or when the true entry with that
 * `seq` arrives. Delivery then goes back to before the false entry and continues from the database, without repeating true entries. For a
 * while after that, entries from the bus are not delivered.
 */
export class Sequencer {
  /** The `seq` of the last entry delivered. */
  last: number
  /** The key of the entry at `last`, where this instance knows it. */
  #lastKey: string | undefined
  /** The highest `seq` to deliver, as far as this instance knows. It may come from the bus. */
  #target: number
  #held: EntriesEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #repairing = false
  #hasGap = false
  /** The highest `seq` that is certainly committed, known from the database or a commit of this instance. */
  #committed: number
  /** Keys of the newest delivered entries, up to `last`. It is empty until an entry comes over the bus. */
  #remembered: string[] = []
  /** The highest `seq` dropped. Up to it, entries from the bus are dropped too: no true entry would still arrive to expose a false one. */
  #dropped = 0
  /** Bytes delivered from the bus since the database was last asked. */
  #unvouched = 0
  /** The `seq` that `#note` last recorded as reached by the database, and when it did so. */
  #noted = 0
  #notedAt = 0
  /** Keys of entries that were delivered before delivery went back, by `seq`, so that true entries are not delivered again. */
  #told = new Map<number, string>()
  /** True if two different entries had the same `seq`. Nothing is delivered then until the database has been asked. */
  #isContradicted = false
  /** True while the database is being asked for its `lastSeq`. */
  #isDoubted = false
  #distrustedUntil = 0
  readonly #channelId: string
  readonly #deps: SequencerDeps

  /** `last`: the `seq` after which delivery begins. */
  constructor (channelId: string, last: number, deps: SequencerDeps) {
    this.#channelId = channelId
    this.last = last
    this.#target = last
    this.#committed = last
    this.#deps = deps
  }

  /** The id of the entry at `last` [P37]; null before the first delivery, and after entries that were pruned or turned out to be false. */
  get lastId (): string | null { return this.#lastKey === undefined ? null : idOfKey(this.#lastKey) }

  /** The highest `seq` that this instance has heard of, from any source. */
  get claimed (): number { return Math.max(this.last, this.#target) }

  accept (event: EntriesEvent): void {
    if (event.isHint && this.#isTooMuch(event)) return this.#doubt()
    const end = lastSeqOf(event)
    this.#target = Math.max(this.#target, end)
    if (!event.isHint) this.vouch(end)
    if (this.#isContradicted || event.firstSeq > this.last + 1) return this.#hold(event)
    this.#take(event)
    this.#release()
    this.#closeGap()
  }

  /** Fetches what is missing up to `committed`, the database's `lastSeq`. `claimed`: this sequencer's `claimed` before the query. */
  catchUp (committed: number, claimed = 0): void {
    this.vouch(committed)
    this.#isDoubted = false
    this.#unvouched = 0
    if (claimed > committed || this.#isContradicted) this.#goBack()
    else this.#note(Math.min(committed, claimed))
    this.#target = Math.max(this.#target, committed)
    if (this.#target > this.last) this.#repair()
  }

  /** Records that the database has entries up to this `seq`. */
  vouch (seq: number): void { this.#committed = Math.max(this.#committed, seq) }

  close (): void {
    clearTimeout(this.#timer)
    this.#held = []
    this.#target = this.last
    this.#closeGap()
  }

  /** Handles a run that is not early. */
  #take (event: EntriesEvent): void {
    if (this.#contradicts(event)) {
      this.#isContradicted = true
      this.#doubt()
    } else if (lastSeqOf(event) > this.last) {
      const isMistrusted = event.isHint === true && this.last < this.#dropped
      if (this.#deps.hasRoom() && !isMistrusted) this.#deliver(event)
      else this.#drop(event)
    }
  }

  /** Drops a run: its entries are read from the database later. */
  #drop (event: EntriesEvent): void {
    this.#dropped = Math.max(this.#dropped, lastSeqOf(event))
    this.#repairLater()
  }

  #deliver (event: EntriesEvent): void {
    const fresh = event.firstSeq <= this.last ? after(event, this.last) : event
    this.last = lastSeqOf(event)
    this.#lastKey = fresh.keys?.at(-1)
    this.#remember(fresh)
    if (fresh.isHint) this.#unvouched += fresh.frames.length
    if (this.#unvouched > this.#deps.maxUnvouched / 2) this.#doubt()
    if (this.#told.size === 0) this.#deps.deliver(fresh)
    else for (const run of untold(fresh, this.#told)) this.#deps.deliver(run)
  }

  /** Returns whether one of these entries differs from the entry that was delivered with the same `seq`. */
  #contradicts ({ firstSeq, keys = [] }: EntriesEvent): boolean {
    const first = this.last - this.#remembered.length + 1
    return keys.some((key, i) => {
      const known = this.#remembered[firstSeq + i - first]
      return known !== undefined && known !== key
    })
  }

  /** Remembers keys, but none before an entry comes over the bus: entries of this instance and of the database are always true. */
  #remember ({ keys = [], isHint }: EntriesEvent): void {
    if (!isHint && this.#remembered.length === 0) return
    for (const key of keys) this.#remembered.push(key)
  }

  /** Returns whether entries from the bus are not delivered, after a false entry or because there are too many unconfirmed ones. */
  #isTooMuch ({ frames }: EntriesEvent): boolean {
    const isDistrusted = performance.now() < this.#distrustedUntil
    return isDistrusted || this.#remembered.length > MAX_REMEMBERED || this.#unvouched + frames.length > this.#deps.maxUnvouched
  }

  /** Records that the database has entries up to this `seq`, and forgets keys up to the `seq` that was recorded before. */
  #note (seq: number): void {
    const now = performance.now()
    if (now - this.#notedAt < REMEMBER_MS) return
    const surplus = this.#remembered.length - Math.max(this.last - this.#noted, MIN_REMEMBERED)
    if (surplus > 0) this.#remembered.splice(0, surplus)
    this.#noted = seq
    this.#notedAt = now
  }

  #doubt (): void {
    if (this.#isDoubted) return
    this.#isDoubted = true
    this.#deps.onDoubt()
  }

  /** Takes back a false entry: delivery resumes from before the remembered entries. */
  #goBack (): void {
    const before = this.last - this.#remembered.length
    this.#remembered.forEach((key, i) => this.#told.set(before + 1 + i, key))
    this.#remembered = []
    this.#held = this.#held.filter(event => !event.isHint)
    this.last = Math.min(before, this.#committed)
    this.#lastKey = undefined
    this.#target = this.#committed
    this.#dropped = 0
    this.#isContradicted = false
    this.#distrustedUntil = performance.now() + DISTRUST_MS
    this.#deps.onReturn(this.#committed)
  }

  /** Skips entries up to this `seq`, which the database no longer has. */
  #passOver (seq: number): void {
    if (seq <= this.last) return
    this.last = seq
    this.#lastKey = undefined
    this.#remembered = []
    for (const told of this.#told.keys()) if (told <= seq) this.#told.delete(told)
  }

  #hold (event: EntriesEvent): void {
    if (this.#held.length === MAX_HELD) return this.#drop(event)
    this.#held.push(event)
    this.#held.sort((a, b) => a.firstSeq - b.firstSeq)
    this.#repairLater()
  }

  /** Reads missing entries once nothing is delivered for `HOLD_MS`. In a busy channel a timer for each early entry would always read. */
  #repairLater (): void {
    if (this.#timer) return
    const { last } = this
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#target <= this.last || this.#isDoubted) return
      if (this.last > last) this.#repairLater()
      else this.#repair()
    }, HOLD_MS)
  }

  #release (): void {
    while (!this.#isContradicted && this.#held.length > 0 && this.#held[0]!.firstSeq <= this.last + 1) this.#take(this.#held.shift()!)
  }

  async #repair (): Promise<void> {
    if (this.#repairing) return
    this.#repairing = true
    try {
      while (this.#target > this.last) {
        if (!this.#deps.hasRoom()) return this.#repairLater()
        const from = this.last
        const committed = this.#committed
        const upTo = Math.min(this.#target, (this.#held[0]?.firstSeq ?? Infinity) - 1)
        const entries = await this.#deps.messages.missing(this.#channelId, from, upTo)
        if (this.#isContradicted) return
        // Delivery went back during the query.
        if (this.last < from) continue
        const unsettled = entries.findIndex(entry => this.#deps.messages.isInFlight(entry))
        const known = unsettled === -1 ? entries : entries.slice(0, unsettled)
        if (known.length > 0) this.#openGap()
        for (const run of consecutive(known)) {
          if (this.#isContradicted) return
          // Entries before a run that the database no longer has were pruned, so nobody can receive them.
          this.#passOver(run[0]!.seq - 1)
          this.accept({ kind: 'entries', firstSeq: run[0]!.seq, ...encodeEntries(run) })
        }
        if (unsettled !== -1 || this.#isContradicted) return
        // Committed entries that the database no longer has were pruned.
        if (entries.length === 0) this.#passOver(Math.min(upTo, committed))
        this.#release()
        // Only the bus says that there are more entries.
        if (entries.length === 0 && this.last < upTo) return this.#doubt()
      }
      this.#closeGap()
    } catch (error) {
      // The reconciler's next check tries again.
      if (this.#target > this.last) this.#openGap()
      this.#deps.onFault(error)
    } finally {
      this.#repairing = false
    }
  }

  #openGap (): void {
    if (!this.#hasGap) this.#deps.gaps.found++
    this.#hasGap = true
  }

  /** Counts a gap as repaired, however it was filled. It also counts when the sequencer closes, because no subscriber is left. */
  #closeGap (): void {
    if (!this.#hasGap || this.#target > this.last) return
    this.#hasGap = false
    this.#deps.gaps.repaired++
  }
}

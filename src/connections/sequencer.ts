import type { EntriesEvent } from '../broker/broker.ts'
import type { Entry } from '../schemas/message.ts'
import { encodeEntries } from './frames.ts'
import { after, consecutive, lastSeqOf, part } from './runs.ts'

/** How long an entry that came too early waits for those before it, before the database is asked, in milliseconds. */
const HOLD_MS = 50
/** Bound on runs that wait; beyond it they are dropped and read from the database. */
const MAX_HELD = 64
/** So many of the newest entries are remembered in any case, once one came by the bus, and about so many at most. */
const MIN_REMEMBERED = 16
const MAX_REMEMBERED = 50_000
/** For so long after the database had as many entries, in milliseconds: a true entry may come by the bus later than its number is known. */
const REMEMBER_MS = 1000
/** For so long after a false entry, entries of the bus only make this instance look in the database, in milliseconds. */
const DISTRUST_MS = 60_000

export interface SequencerDeps {
  /** Receives every entry once, in order of `seq`, without a gap [P27]. */
  deliver (event: EntriesEvent): void
  messages: {
    /** The next entries with `after < seq <= upTo`, from the database: as many as may be put out at once, none where there are none. */
    missing (channelId: string, after: number, upTo: number): Promise<Entry[]>
    /** Is this message in a batch of ours whose sender has no ack yet? Then the batch itself delivers it. */
    isInFlight (id: string): boolean
  }
  /** May more be put out? Where not, the entries are read from the database later [P52]. */
  hasRoom (): boolean
  onFault (error: unknown): void
  /** The bus says what the database must confirm: `catchUp` is to bring the database's `lastSeq`. */
  onDoubt (): void
  /** No entry after this `seq` has been stored yet, whatever the bus said. Delivery goes on from there, or from before it. */
  onReturn (committed: number): void
  /** Bytes that the bus may bring before the database has been asked how far they are true. */
  maxUnvouched: number
  /** How often the database had what was missing here, or did not answer; and how often nothing was missing any more. */
  gaps: { found: number, repaired: number }
}

/**
 * Puts the entries of one channel in order for this instance's subscribers: what came before is dropped, the next is
 * delivered, what is too early waits. The bus is a hint only; what it lost is read from the database [P33].
 *
 * An entry of the bus may also be false [P60]. It is found out by a `seq` that the database never gave, or when the true entry with its
 * `seq` comes. Delivery then goes back to before it and reads on from the database, without repeating the true ones, and for a while
 * the bus is not believed.
 */
export class Sequencer {
  /** `seq` of the last entry delivered. */
  last: number
  /** Highest `seq` known to be committed. */
  #target: number
  #held: EntriesEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #repairing = false
  #hasGap = false
  /** Highest `seq` that the database, or a commit of this instance, has vouched for. */
  #committed: number
  /** Keys of the newest entries delivered, up to `last`, since one came by the bus. */
  #remembered: string[] = []
  /** Highest `seq` that was dropped. Up to there the bus is not believed: the true entries have come and do not come again. */
  #dropped = 0
  /** Bytes that the bus brought since the database was asked. */
  #unvouched = 0
  /** Up to which `seq` the database had entries when it was last noted, and when that was. */
  #noted = 0
  #notedAt = 0
  /** Keys of what had been delivered before a return, by `seq`. */
  #told = new Map<number, string>()
  /** Two entries came with one `seq`: nothing follows before the database has been asked. */
  #isContradicted = false
  /** The database is being asked for its `lastSeq`. */
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

  /** Highest `seq` that was heard of, by whomever. */
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

  /** The database's `lastSeq`, asked for when no higher `seq` than `claimed` was known here. Whatever is missing up to it is fetched. */
  catchUp (committed: number, claimed = 0): void {
    this.vouch(committed)
    this.#isDoubted = false
    this.#unvouched = 0
    if (claimed > committed || this.#isContradicted) this.#goBack()
    else this.#note(Math.min(committed, claimed))
    this.#target = Math.max(this.#target, committed)
    if (this.#target > this.last) this.#repair()
  }

  /** The database has entries up to this `seq`. */
  vouch (seq: number): void { this.#committed = Math.max(this.#committed, seq) }

  close (): void {
    clearTimeout(this.#timer)
    this.#held = []
    this.#target = this.last
    this.#closeGap()
  }

  /** A run that does not come too early. */
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

  /** The database brings these entries later. */
  #drop (event: EntriesEvent): void {
    this.#dropped = Math.max(this.#dropped, lastSeqOf(event))
    this.#repairLater()
  }

  #deliver (event: EntriesEvent): void {
    const fresh = event.firstSeq <= this.last ? after(event, this.last) : event
    this.last = lastSeqOf(event)
    this.#remember(fresh)
    if (fresh.isHint) this.#unvouched += fresh.frames.length
    if (this.#unvouched > this.#deps.maxUnvouched / 2) this.#doubt()
    if (this.#told.size === 0) this.#deps.deliver(fresh)
    else for (const run of this.#untold(fresh)) this.#deps.deliver(run)
  }

  /** Is one of these entries another one than was delivered with its `seq`? */
  #contradicts ({ firstSeq, keys = [] }: EntriesEvent): boolean {
    const first = this.last - this.#remembered.length + 1
    return keys.some((key, i) => {
      const known = this.#remembered[firstSeq + i - first]
      return known !== undefined && known !== key
    })
  }

  /** Where no entry came by the bus there is nothing to remember: those of this instance and of the database are true. */
  #remember ({ keys = [], isHint }: EntriesEvent): void {
    if (!isHint && this.#remembered.length === 0) return
    for (const key of keys) this.#remembered.push(key)
  }

  /** Is the bus not believed, or has it brought more than is believed at once? The database brings the entries then. */
  #isTooMuch ({ frames }: EntriesEvent): boolean {
    const isDistrusted = performance.now() < this.#distrustedUntil
    return isDistrusted || this.#remembered.length > MAX_REMEMBERED || this.#unvouched + frames.length > this.#deps.maxUnvouched
  }

  /** The database has entries up to this `seq`. Those up to the one noted before need not be remembered any longer. */
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

  #goBack (): void {
    const before = this.last - this.#remembered.length
    this.#remembered.forEach((key, i) => this.#told.set(before + 1 + i, key))
    this.#remembered = []
    this.#held = this.#held.filter(event => !event.isHint)
    this.last = Math.min(before, this.#committed)
    this.#target = this.#committed
    this.#dropped = 0
    this.#isContradicted = false
    this.#distrustedUntil = performance.now() + DISTRUST_MS
    this.#deps.onReturn(this.#committed)
  }

  /** The entries of a run that had not been delivered before the last return. */
  #untold (event: EntriesEvent): EntriesEvent[] {
    const runs: EntriesEvent[] = []
    let from = 0
    for (let i = 0; i < event.ends.length; i++) {
      const seq = event.firstSeq + i
      const told = this.#told.get(seq)
      this.#told.delete(seq)
      if (told === undefined || told !== event.keys?.[i]) continue
      if (i > from) runs.push(part(event, from, i))
      from = i + 1
    }
    if (from < event.ends.length) runs.push(part(event, from))
    return runs
  }

  /** Entries up to this one are not in the database any more. */
  #passOver (seq: number): void {
    if (seq <= this.last) return
    this.last = seq
    this.#remembered = []
    for (const told of this.#told.keys()) if (told <= seq) this.#told.delete(told)
  }

  #hold (event: EntriesEvent): void {
    if (this.#held.length === MAX_HELD) return this.#drop(event)
    this.#held.push(event)
    this.#held.sort((a, b) => a.firstSeq - b.firstSeq)
    this.#repairLater()
  }

  /** Once nothing has been delivered for so long: with busy channels on several instances some entry always comes too early. */
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
        // Went back meanwhile.
        if (this.last < from) continue
        const unsettled = entries.findIndex(entry => this.#deps.messages.isInFlight(entry.id))
        const known = unsettled === -1 ? entries : entries.slice(0, unsettled)
        if (known.length > 0) this.#openGap()
        for (const run of consecutive(known)) {
          if (this.#isContradicted) return
          // What lies before a run and is not in the database any more was pruned: nobody can have it.
          this.#passOver(run[0]!.seq - 1)
          this.accept({ kind: 'entries', firstSeq: run[0]!.seq, ...encodeEntries(run) })
        }
        if (unsettled !== -1 || this.#isContradicted) return
        // Whatever the database has no more was pruned.
        if (entries.length === 0) this.#passOver(Math.min(upTo, committed))
        this.#release()
        // The bus alone says that there are more.
        if (entries.length === 0 && this.last < upTo) return this.#doubt()
      }
      this.#closeGap()
    } catch (error) {
      // The next check of the sequence tries again.
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

  /** However it was filled; a channel that nobody is subscribed to any more misses nothing. */
  #closeGap (): void {
    if (!this.#hasGap || this.#target > this.last) return
    this.#hasGap = false
    this.#deps.gaps.repaired++
  }
}

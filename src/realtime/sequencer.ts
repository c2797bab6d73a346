import type { EntriesEvent } from '../broker/broker.ts'
import type { Entry } from '../schemas/message.ts'
import { encodeEntries } from './codec.ts'

/** How long an entry that came too early waits for those before it, before the database is asked, in milliseconds. */
const HOLD_MS = 50
/** Bound on runs that wait; beyond it they are forgotten and read from the database. */
const MAX_HELD = 64

export interface SequencerDeps {
  /** Receives every entry once, in order of `seq`, without a gap [P27]. */
  deliver (event: EntriesEvent): void
  /** The next entries with `after < seq <= upTo`, from the database: as many as may be put out at once, none where there are none. */
  read (after: number, upTo: number): Promise<Entry[]>
  /** May more be put out? Where not, the entries are read from the database later [P52]. */
  hasRoom (): boolean
  /** Is this message in a batch of ours whose sender has no ack yet? Then the batch itself delivers it. */
  isInFlight (id: string): boolean
  onFault (error: unknown): void
  /** How often the database had what was missing here, or did not answer; and how often nothing was missing any more. */
  gaps: { found: number, repaired: number }
}

/**
 * Puts the entries of one channel in order for this instance's subscribers: what came before is dropped, the next is
 * delivered, what is too early waits. The bus is a hint only; what it lost is read from the database [P33].
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
  readonly #deps: SequencerDeps

  constructor (last: number, deps: SequencerDeps) {
    this.last = last
    this.#target = last
    this.#deps = deps
  }

  accept (event: EntriesEvent): void {
    const end = lastSeqOf(event)
    if (end <= this.last) return
    this.#target = Math.max(this.#target, end)
    if (!this.#deps.hasRoom()) return this.#repairLater()
    if (event.firstSeq > this.last + 1) return this.#hold(event)
    this.#deliver(event)
    this.#release()
    this.#closeGap()
  }

  /** The database's `lastSeq`. Whatever is missing up to it is fetched. */
  catchUp (committed: number): void {
    this.#target = Math.max(this.#target, committed)
    if (this.#target > this.last) this.#repair()
  }

  close (): void {
    clearTimeout(this.#timer)
    this.#held = []
    this.#target = this.last
    this.#closeGap()
  }

  #deliver (event: EntriesEvent): void {
    const fresh = event.firstSeq <= this.last ? after(event, this.last) : event
    this.last = lastSeqOf(event)
    this.#deps.deliver(fresh)
  }

  #hold (event: EntriesEvent): void {
    if (this.#held.length < MAX_HELD) {
      this.#held.push(event)
      this.#held.sort((a, b) => a.firstSeq - b.firstSeq)
    }
    this.#repairLater()
  }

  #repairLater (): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#target > this.last) this.#repair()
    }, HOLD_MS)
  }

  #release (): void {
    while (this.#held.length > 0 && this.#held[0]!.firstSeq <= this.last + 1) {
      const event = this.#held.shift()!
      if (lastSeqOf(event) > this.last) this.#deliver(event)
    }
  }

  async #repair (): Promise<void> {
    if (this.#repairing) return
    this.#repairing = true
    try {
      while (this.#target > this.last) {
        if (!this.#deps.hasRoom()) return this.#repairLater()
        const from = this.last
        const upTo = Math.min(this.#target, (this.#held[0]?.firstSeq ?? Infinity) - 1)
        const entries = await this.#deps.read(from, upTo)
        const unsettled = entries.findIndex(entry => this.#deps.isInFlight(entry.id))
        const known = unsettled === -1 ? entries : entries.slice(0, unsettled)
        if (known.length > 0) this.#openGap()
        for (const run of consecutive(known)) {
          // What lies before a run and is not in the database any more was pruned: nobody can have it.
          if (run[0]!.seq > this.last + 1) this.last = run[0]!.seq - 1
          this.accept({ kind: 'entries', firstSeq: run[0]!.seq, ...encodeEntries(run) })
        }
        if (unsettled !== -1) return
        // Whatever the database has no more was pruned.
        if (entries.length === 0 && this.last < upTo) this.last = upTo
        this.#release()
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

export function lastSeqOf (event: EntriesEvent): number {
  return event.firstSeq + event.ends.length - 1
}

/** The part of a run with `seq > last`. */
export function after (event: EntriesEvent, last: number): EntriesEvent {
  const skipped = last - event.firstSeq + 1
  if (skipped <= 0) return event
  const start = event.ends[skipped - 1]!
  return {
    kind: 'entries',
    firstSeq: last + 1,
    frames: event.frames.subarray(start),
    ends: event.ends.slice(skipped).map(end => end - start)
  }
}

function consecutive (entries: Entry[]): Entry[][] {
  const runs: Entry[][] = []
  for (const entry of entries) {
    const run = runs.at(-1)
    if (run && run.at(-1)!.seq + 1 === entry.seq) run.push(entry)
    else runs.push([entry])
  }
  return runs
}

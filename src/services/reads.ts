import { AppError } from '../errors.ts'
import { createPacer } from '../pacer.ts'
import type { Entry } from '../schemas/message.ts'
import type { UserRead } from '../schemas/read.ts'
import type { Marked, Position, ReadStore } from '../store/reads.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'

/** Milliseconds between two statements that write positions, at least. */
const WRITE_INTERVAL_MS = 1000
/** Positions that may wait to be written. A further mark is answered `busy`, and a further message of one's own raises no position. */
const MAX_WAITING = 50_000
/** Positions that are remembered after they were written, so that a lower mark needs no statement and is answered with the position. */
const MAX_REMEMBERED = 20_000

/** A member's position as this instance knows it. The database may have a higher one. */
interface Mark extends Position {
  /** The highest `seq` that a `mark_read` named and that the other connections have not been told of yet. */
  told: { channel: string, seq: number, except: string | undefined } | null
}

/** What a mark is about. */
export interface Place { channelId: string, channelName: string, userId: string }

export type Reads = ReturnType<typeof createReads>

/**
 * Keeps up to where members have read [P43]. New positions wait in memory and are written together, at most once a second; whoever asks
 * this instance sees them at once.
 */
export function createReads ({ store, events, receiptsLimit, batchSize, onFault }: {
  store: ReadStore
  events: Events
  /** Most members of a channel in which they see what the others have read; 0: in none [P45]. */
  receiptsLimit: number
  /** Positions that one statement writes at most. */
  batchSize: number
  onFault (error: unknown): void
}) {
  /** By user, then by channel: a message finds its sender's mark without building a key. */
  const marks = new Map<string, Map<string, Mark>>()
  const waiting = new Set<Mark>()
  let size = 0
  const pacer = createPacer(WRITE_INTERVAL_MS, async () => {
    await write().catch(onFault)
    if (waiting.size > 0) pacer.ask()
  })

  /** Raises a position in memory. @returns the mark, or null if too many wait. */
  function raise (userId: string, channelId: string, seq: number): Mark | null {
    let own = marks.get(userId)
    let mark = own?.get(channelId)
    if (mark !== undefined && seq <= mark.seq) return mark
    if (waiting.size >= MAX_WAITING && (mark === undefined || !waiting.has(mark))) return null
    if (mark === undefined) {
      mark = { userId, channelId, seq, told: null }
      if (own === undefined) marks.set(userId, own = new Map())
      own.set(channelId, mark)
      size++
    }
    mark.seq = seq
    waiting.add(mark)
    pacer.ask()
    return mark
  }

  /** Writes the positions that have waited longest, and tells of those that a `mark_read` has raised. */
  async function write (): Promise<void> {
    const batch = first(waiting, batchSize)
    if (batch.length === 0) return
    const sent = batch.map(({ userId, channelId, seq }) => ({ userId, channelId, seq }))
    const told = batch.map(mark => mark.told)
    const outcomes = await store.raise(sent)
    const reads = new Map<string, UserRead[]>()
    batch.forEach((mark, i) => {
      const outcome = outcomes[i]
      waiting.delete(mark)
      // Put last what is locked, or was raised meanwhile.
      if (!outcome || mark.seq > sent[i]!.seq) waiting.add(mark)
      if (!outcome) return
      if (mark.told === told[i]) mark.told = null
      if (told[i]) tell(mark, told[i], outcome, reads)
    })
    for (const [channelId, members] of reads) events.membersRead(channelId, members)
    if (size > MAX_REMEMBERED) forget()
  }

  /** Tells the user's other connections of a position that has risen, and notes it in `reads` if the channel is small. */
  function tell (
    { userId, channelId }: Mark,
    { channel, seq: marked, except }: NonNullable<Mark['told']>,
    { before, reached, userCount }: Marked,
    reads: Map<string, UserRead[]>
  ): void {
    if (before === null) return
    const seq = Math.min(marked, reached)
    if (seq <= before) return
    events.markerRaised(userId, { channel, seq }, except)
    if (userCount > receiptsLimit) return
    const members = reads.get(channelId) ?? []
    reads.set(channelId, members)
    members.push({ channel, user_id: userId, seq })
  }

  /** Forgets the oldest positions that are written. */
  function forget (): void {
    for (const [userId, own] of marks) {
      for (const [channelId, mark] of own) {
        if (size <= MAX_REMEMBERED) return
        if (waiting.has(mark)) continue
        own.delete(channelId)
        size--
      }
      if (own.size === 0) marks.delete(userId)
    }
  }

  /**
   * Marks a channel as read up to `seq` for a member. `except`: a connection that is not told.
   * @returns the position. @throws AppError `busy`.
   */
  function mark ({ userId, channelId, channelName: channel }: Place, seq: number, except?: string): number {
    const known = marks.get(userId)?.get(channelId)
    if (known !== undefined && seq <= known.seq) return known.seq
    const raised = raise(userId, channelId, seq)
    if (raised === null) throw new AppError('busy')
    raised.told = { channel, seq, except }
    return seq
  }

  return {
    mark,

    /**
     * Marks a channel as read for a user whose membership this instance does not know of. @returns the position.
     * @throws AppError `channel_not_found`, `not_in_channel`, `banned`, `not_authorized`; `invalid_request` for a `seq` beyond the last.
     */
    async judgeAndMark (actor: Actor, channelName: string, seq: number, except?: string): Promise<number> {
      const outcome = await store.judge(actor, channelName)
      if (outcome.code !== null) throw new AppError(outcome.code)
      const { channelId, lastSeq } = outcome
      if (seq > lastSeq) throw new AppError('invalid_request', { detail: `seq: expected at most ${lastSeq}` })
      return mark({ channelId, channelName, userId: actor.userId }, seq, except)
    },

    /** Raises the positions of the senders of these new entries: whoever writes has read what is before it. Nobody is told. */
    sent (channelId: string, entries: Entry[]): void {
      for (const entry of entries) if (entry.type === 'message') raise(entry.user_id, channelId, entry.seq)
    },

    /** The user's position in a channel. `stored`: what the database has. */
    position: (userId: string, channelId: string, stored: number): number =>
      Math.max(stored, marks.get(userId)?.get(channelId)?.seq ?? 0),

    /** The user's positions that are not written yet. */
    unwritten: (userId: string): Position[] => [...marks.get(userId)?.values() ?? []].filter(mark => waiting.has(mark)),

    /** The `read_seq` of each member may be shown in a channel of so many members [P45]. */
    areShown: (userCount: number): boolean => userCount <= receiptsLimit,

    /** Writes everything that waits, before the process ends. What cannot be written is lost. */
    async close (): Promise<void> {
      pacer.stop()
      try {
        for (let left = waiting.size; left > 0; left -= batchSize) await write()
      } catch (error) {
        onFault(error)
      }
    }
  }
}

function first<T> (items: Set<T>, count: number): T[] {
  const found: T[] = []
  for (const item of items) {
    if (found.length === count) break
    found.push(item)
  }
  return found
}

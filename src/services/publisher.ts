import { setTimeout } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import { Histogram, SECONDS } from '../histogram.ts'
import type { Entry, Receipt } from '../schemas/message.ts'
import type { ChangeVerdict, MessageChange, MessageStore, NewMessage, Verdict } from '../store/messages.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'

/** A message that its sender may send, as far as this instance knows; the database has the last word [P32]. */
export interface Draft extends Actor {
  channelId: string
  channel: string
  username: string
  text: string
  clientId: string | undefined
}

/** Called once per draft or change, in the order they were queued; before anyone receives it. */
export type Done = (error: AppError | null, receipt?: Receipt) => void

/**
 * While messages come faster than one a commit, commits begin at least this far apart, in milliseconds: a few more come
 * together, and each costs less. A lone sender never waits for it.
 */
const MIN_INTERVAL_MS = 3
/** How often a database that is gone is asked whether it is back, in milliseconds. */
const PROBE_INTERVAL_MS = 250
/** How long a batch waits for room, in milliseconds: meanwhile readers that stall are ended, and a full queue answers `busy` [P52]. */
const ROOM_PATIENCE_MS = 1000
const BATCH_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500]

/** `queuedAt` is of the clock of `performance.now()`. */
type Pending =
  | { kind: 'draft', draft: Draft, id: string, done: Done, queuedAt: number }
  /** `id`: the message that is changed. */
  | { kind: 'change', change: MessageChange, id: string, done: Done, queuedAt: number }
type PendingDraft = Pending & { kind: 'draft' }
type PendingChange = Pending & { kind: 'change' }

/**
 * The one committer of this instance. Drafts wait in a bounded queue; all that wait (up to `batchSize`) go to the
 * database in one round trip, so the busier it gets, the less each costs. Acks come after the commit and before the
 * message goes out [P26].
 */
export function createPublisher ({ store, events, queueSize, batchSize, batchLength = Infinity, untilRoom = async () => {} }: {
  store: MessageStore
  events: Events
  queueSize: number
  batchSize: number
  /** UTF-16 units of text after which a batch takes no further message: what one commit puts out at once is bounded [P52]. */
  batchLength?: number
  /** Waits while connections hold more than they may, for at most so many milliseconds [P52]. */
  untilRoom?: (within: number) => Promise<void>
}) {
  let queue: Pending[] = []
  let inFlight: Pending[] = []
  let running = false
  /** The database did not answer; `recover` finds out when it does again. */
  let down = false
  let closing = false
  const batchSizes = new Histogram(BATCH_BOUNDS)
  const commitSeconds = new Histogram(SECONDS)
  let idle: () => void = () => {}

  /**
   * Full queue: `busy` at once. Database gone: `unavailable`, for the first within the database's time-outs, for those after
   * them at once, so that nobody waits for one time-out behind another.
   */
  function enqueue (pending: Pending): void {
    if (down) return pending.done(new AppError('unavailable'))
    if (queue.length >= queueSize) return pending.done(new AppError('busy'))
    queue.push(pending)
    if (running) return
    running = true
    setImmediate(commitAll)
  }

  async function commitAll (): Promise<void> {
    while (queue.length > 0) {
      if (!closing) await untilRoom(ROOM_PATIENCE_MS)
      const begun = performance.now()
      inFlight = takeBatch()
      batchSizes.observe(inFlight.length)
      const isBusy = inFlight.length > 1
      try {
        if (isDrafts(inFlight)) settleDrafts(inFlight, await timed(judge(inFlight)))
        else settleChanges(inFlight as PendingChange[], await timed(change(inFlight as PendingChange[])))
      } catch (error) {
        // Those still waiting would only meet the same fault later, past the bound on their answer.
        const failed = [...inFlight, ...queue]
        queue = []
        // First of all: who is answered sends the next.
        if (error instanceof AppError && error.code === 'unavailable') recover()
        fail(failed, error)
      }
      inFlight = []
      const early = MIN_INTERVAL_MS - (performance.now() - begun)
      if (isBusy && early > 0 && queue.length < batchSize) await setTimeout(early)
    }
    running = false
    idle()
  }

  /** Measures a round trip; one that fails, too. */
  async function timed<T> (call: Promise<T>): Promise<T> {
    const begun = performance.now()
    try {
      return await call
    } finally {
      commitSeconds.observe((performance.now() - begun) / 1000)
    }
  }

  async function recover (): Promise<void> {
    down = true
    while (down && !closing) {
      try {
        await store.ping()
        down = false
      } catch {
        await setTimeout(PROBE_INTERVAL_MS, undefined, { ref: false })
      }
    }
  }

  /** What waits longest, all of one kind: each kind is one call. */
  function takeBatch (): Pending[] {
    const [first] = queue
    let length = 0
    const end = queue.findIndex((pending, i) => {
      const isOver = length >= batchLength || i === batchSize || pending.kind !== first!.kind
      length += lengthOf(pending)
      return isOver
    })
    const batch = end === -1 ? queue : queue.slice(0, end)
    queue = end === -1 ? [] : queue.slice(end)
    return batch
  }

  /** One verdict per draft. The same client id twice in a batch is stored once; the second is its duplicate [P28]. */
  async function judge (batch: PendingDraft[]): Promise<Verdict[]> {
    const firsts: NewMessage[] = []
    const placeOf = new Map<string, number>()
    const places = batch.map(({ draft, id }) => {
      const key = draft.clientId === undefined ? id : `${draft.channelId} ${draft.userId} ${draft.clientId}`
      const place = placeOf.get(key)
      if (place !== undefined) return { place, repeated: true }
      placeOf.set(key, firsts.length)
      firsts.push({ id, channelId: draft.channelId, userId: draft.userId, sid: draft.sid, content: draft.text, clientId: draft.clientId })
      return { place: firsts.length - 1, repeated: false }
    })
    const verdicts = await store.publish(firsts)
    return places.map(({ place, repeated }) => {
      const verdict = verdicts[place]!
      return repeated && verdict.code === null ? { ...verdict, duplicate: true } : verdict
    })
  }

  function change (batch: PendingChange[]): Promise<ChangeVerdict[]> {
    return store.change(batch.map(({ change }) => change))
  }

  /** Acks first, all of them; then the stored messages, channel by channel. */
  function settleDrafts (batch: PendingDraft[], verdicts: Verdict[]): void {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ draft, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { id, seq, duplicate } = verdict
      const timestamp = verdict.createdAt.toISOString()
      const client = draft.clientId === undefined ? undefined : { client_id: draft.clientId }
      answer(done, null, { channel: draft.channel, id, seq, timestamp, ...client, ...duplicate && { duplicate } })
      if (duplicate) return
      const { channelId, channel, userId, username, text } = draft
      append(stored, channelId, { type: 'message', id, seq, channel, user_id: userId, username, message: text, timestamp, ...client })
    })
    deliver(stored, batch[0]!.queuedAt)
  }

  function settleChanges (batch: PendingChange[], verdicts: ChangeVerdict[]): void {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ change: { channel, userId, messageId: id, text }, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { channelId, seq, authorId } = verdict
      const timestamp = verdict.createdAt.toISOString()
      answer(done, null, { channel, id, seq, timestamp })
      append(stored, channelId, text === null
        ? { type: 'message_deleted', id, seq, channel, user_id: userId, timestamp }
        : { type: 'message_edited', id, seq, channel, user_id: authorId, message: text, timestamp })
    })
    deliver(stored, batch[0]!.queuedAt)
  }

  function deliver (stored: Map<string, Entry[]>, queuedAt: number): void {
    for (const [channelId, entries] of stored) {
      try {
        events.entriesStored(channelId, entries, queuedAt)
      } catch (error) {
        // They are stored and acked: the check of the sequence delivers them.
        events.faultFound(error)
      }
    }
  }

  /** A caller that throws harms no other: what is stored stays stored. */
  function answer (done: Done, error: AppError | null, receipt?: Receipt): void {
    try {
      done(error, receipt)
    } catch (fault) {
      events.faultFound(fault)
    }
  }

  function fail (batch: Pending[], error: unknown): void {
    const shown = error instanceof AppError ? error : new AppError('internal')
    for (const { done } of batch) answer(done, shown)
    if (shown !== error) events.faultFound(error)
  }

  return {
    /** Queues a message. */
    publish: (draft: Draft, done: Done): void => enqueue({ kind: 'draft', draft, id: uuidv7(), done, queuedAt: performance.now() }),
    /** Queues an edit or deletion, behind what waits already [P34]. */
    change: (change: MessageChange, done: Done): void =>
      enqueue({ kind: 'change', change, id: change.messageId, done, queuedAt: performance.now() }),
    /** Is this message of ours, or a change of it, in a batch whose outcome is not known yet? Only the batch itself may then deliver it. */
    isInFlight: (id: string): boolean => inFlight.some(pending => pending.id === id),
    batchSizes,
    commitSeconds,
    /** How many messages wait, and for how many seconds the oldest has, its commit included. */
    backlog (): { messages: number, age: number } {
      const oldest = inFlight[0] ?? queue[0]
      return { messages: queue.length, age: oldest ? (performance.now() - oldest.queuedAt) / 1000 : 0 }
    },
    /** Resolves when nothing waits any more. */
    close (): Promise<void> {
      closing = true
      return running ? new Promise(resolve => { idle = resolve }) : Promise.resolve()
    }
  }
}

function isDrafts (batch: Pending[]): batch is PendingDraft[] {
  return batch[0]!.kind === 'draft'
}

function lengthOf (pending: Pending): number {
  return pending.kind === 'draft' ? pending.draft.text.length : pending.change.text?.length ?? 0
}

function append (entriesOf: Map<string, Entry[]>, channelId: string, entry: Entry): void {
  const entries = entriesOf.get(channelId)
  if (entries) entries.push(entry)
  else entriesOf.set(channelId, [entry])
}

export type Publisher = ReturnType<typeof createPublisher>

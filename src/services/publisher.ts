import { setTimeout } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import { Histogram, SECONDS } from '../histogram.ts'
import { editedData, type Entry, type Receipt } from '../schemas/message.ts'
import type { ChangeVerdict, MessageChange, MessageStore, NewMessage, Verdict } from '../store/messages.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'

/** A message that its sender may send as far as this instance knows. The database decides [P32]. */
export interface Draft extends Actor {
  channelId: string
  channelName: string
  username: string
  text: string
  clientId: string | undefined
  /** The id of the message that it replies to [P39]. */
  replyTo: string | undefined
  /** JSON text [P38]. */
  data: string | undefined
}

/** Called once per draft or change, in the order in which they were queued, and before any client receives the message. */
export type Done = (error: AppError | null, receipt?: Receipt) => void

/**
 * Milliseconds between the starts of two commits, at least, while a commit has more than one message: larger batches cost less per
 * message. A single sender never waits for it.
 */
const MIN_INTERVAL_MS = 3
/** Milliseconds between two checks whether an unreachable database is back. */
const PROBE_INTERVAL_MS = 250
/** Longest wait of a batch for outbound memory, in milliseconds. Meanwhile slow consumers are closed; a full queue answers `busy` [P52]. */
const ROOM_PATIENCE_MS = 1000
const BATCH_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500]

/** A queued request: a new message, or an edit or deletion. `queuedAt` is on the clock of `performance.now()`. */
type Pending =
  | { kind: 'draft', draft: Draft, id: string, done: Done, queuedAt: number }
  /** `id` is that of the message that changes. */
  | { kind: 'change', change: MessageChange, id: string, done: Done, queuedAt: number }
type PendingDraft = Pending & { kind: 'draft' }
type PendingChange = Pending & { kind: 'change' }

/**
 * The only committer of this instance. Requests wait in a bounded queue. All that wait, up to `batchSize`, go to the database in one
 * round trip, so each message costs less as the load grows. Acks are sent after the commit and before the messages are delivered [P26].
 */
export function createPublisher ({ store, events, queueSize, batchSize, batchLength = Infinity, untilRoom = async () => {} }: {
  store: MessageStore
  events: Events
  queueSize: number
  batchSize: number
  /** UTF-16 units of text and data after which a batch takes no further message, so that one commit delivers a bounded amount [P52]. */
  batchLength?: number
  /** While all connections together hold too many outbound bytes, waits at most `within` milliseconds [P52]. */
  untilRoom?: (within: number) => Promise<void>
}) {
  let queue: Pending[] = []
  let inFlight: Pending[] = []
  let running = false
  /** True after the database did not answer, until `recover` finds that it answers again. */
  let down = false
  let closing = false
  const batchSizes = new Histogram(BATCH_BOUNDS)
  const commitSeconds = new Histogram(SECONDS)
  let idle: () => void = () => {}

  /**
   * Queues a request. If the queue is full, the answer is `busy` at once. If the database is unreachable, the first requests are answered
   * `unavailable` within the database's time-outs, and later ones at once, so that no request waits for several time-outs in a row.
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
        // The queued requests fail as well: they would meet the same fault later, after the time limit for their answer.
        const failed = [...inFlight, ...queue]
        queue = []
        // Mark the database as down before answering: clients send again at once.
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

  /** Measures how long a round trip takes, also one that fails. */
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

  /** Takes the oldest requests from the queue, all of one kind: new messages and changes need different calls. */
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

  /** Stores drafts and returns one verdict per draft. A repeated client id is stored once; the later draft is a duplicate [P28]. */
  async function judge (batch: PendingDraft[]): Promise<Verdict[]> {
    const firsts: NewMessage[] = []
    const placeOf = new Map<string, number>()
    const places = batch.map(({ draft, id }) => {
      const key = draft.clientId === undefined ? id : `${draft.channelId} ${draft.userId} ${draft.clientId}`
      const place = placeOf.get(key)
      if (place !== undefined) return { place, repeated: true }
      placeOf.set(key, firsts.length)
      const { channelId, userId, sid, text: content, clientId, replyTo, data } = draft
      firsts.push({ id, channelId, userId, sid, content, clientId, replyTo, data })
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

  /** Acks all drafts first, then delivers the stored messages channel by channel. */
  function settleDrafts (batch: PendingDraft[], verdicts: Verdict[]): void {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ draft, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { id, seq, duplicate } = verdict
      const timestamp = verdict.createdAt.toISOString()
      const client = draft.clientId === undefined ? undefined : { client_id: draft.clientId }
      answer(done, null, { channel: draft.channelName, id, seq, timestamp, ...client, ...duplicate && { duplicate } })
      if (duplicate) return
      const { channelId, channelName: channel, userId, username, text, replyTo, data: json } = draft
      const reply = replyTo === undefined ? undefined : { reply_to: replyTo }
      const data = json === undefined ? undefined : { data: JSON.parse(json) as unknown }
      append(stored, channelId, {
        type: 'message', id, seq, channel, user_id: userId, username, message: text, timestamp, ...client, ...reply, ...data
      })
    })
    deliver(stored, batch[0]!.queuedAt)
    for (const verdict of verdicts) if (verdict.code === null && verdict.told !== null) events.directOpened(verdict.told)
  }

  function settleChanges (batch: PendingChange[], verdicts: ChangeVerdict[]): void {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ change: { channelName: channel, userId, messageId: id, text }, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { channelId, seq, authorId, data } = verdict
      const timestamp = verdict.createdAt.toISOString()
      answer(done, null, { channel, id, seq, timestamp })
      append(stored, channelId, text === null
        ? { type: 'message_deleted', id, seq, channel, user_id: userId, timestamp }
        : { type: 'message_edited', id, seq, channel, user_id: authorId, message: text, timestamp, ...editedData(data) })
    })
    deliver(stored, batch[0]!.queuedAt)
  }

  function deliver (stored: Map<string, Entry[]>, queuedAt: number): void {
    for (const [channelId, entries] of stored) {
      try {
        events.entriesStored(channelId, entries, queuedAt)
      } catch (error) {
        // The entries are stored and acked, so the periodic check of each channel's sequence delivers them.
        events.faultFound(error)
      }
    }
  }

  /** Answers one request. If `done` throws, the other requests are still answered: what is stored stays stored. */
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
    publish: (draft: Draft, done: Done): void => enqueue({ kind: 'draft', draft, id: uuidv7(), done, queuedAt: performance.now() }),
    /** Queues an edit or deletion behind the requests that already wait [P34]. */
    change: (change: MessageChange, done: Done): void =>
      enqueue({ kind: 'change', change, id: change.messageId, done, queuedAt: performance.now() }),
    /** Whether this message or a change of it is being committed, with an unknown outcome. Then only its own batch may deliver it. */
    isInFlight: (id: string): boolean => inFlight.some(pending => pending.id === id),
    batchSizes,
    commitSeconds,
    /** Number of requests that wait, and seconds since the oldest unanswered request was queued, including the time of its commit. */
    backlog (): { messages: number, age: number } {
      const oldest = inFlight[0] ?? queue[0]
      return { messages: queue.length, age: oldest ? (performance.now() - oldest.queuedAt) / 1000 : 0 }
    },
    /** Resolves when no request waits and no commit is under way. */
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
  const { text, data } = pending.kind === 'draft' ? pending.draft : pending.change
  return (text?.length ?? 0) + (data?.length ?? 0)
}

function append (entriesOf: Map<string, Entry[]>, channelId: string, entry: Entry): void {
  const entries = entriesOf.get(channelId)
  if (entries) entries.push(entry)
  else entriesOf.set(channelId, [entry])
}

export type Publisher = ReturnType<typeof createPublisher>

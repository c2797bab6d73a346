import { setTimeout } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import { Histogram, SECONDS } from '../histogram.ts'
import { editedData, keyOf, type Entry } from '../schemas/message.ts'
import type { ReactionReceipt } from '../schemas/reaction.ts'
import type { ChangeVerdict, MessageChange, MessageStore, Verdict } from '../store/messages.ts'
import type { NewReaction, ReactionVerdict } from '../store/reactions.ts'
import type { Events } from './events.ts'
import {
  isDraft, keyOfPending, lengthOf, withoutRepeats,
  type Done, type Draft, type Pending, type PendingChange, type PendingDraft, type PendingReaction, type Place
} from './pending.ts'

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

/**
 * The only committer of this instance. Requests wait in a bounded queue. All that wait, of whatever kind and up to `batchSize`, go to the
 * database in one round trip, so each costs less as the load grows. Acks are sent after the commit and before the entries are delivered
 * [P26].
 */
export function createPublisher ({
  store, events, queueSize, batchSize, maxReactions = 0, batchLength = Infinity, untilRoom = async () => {}
}: {
  store: MessageStore
  events: Events
  queueSize: number
  batchSize: number
  /** Different reactions that a message may have [P40]. */
  maxReactions?: number
  /** UTF-16 units of text and data after which a batch takes no further message, so that one commit delivers a bounded amount [P52]. */
  batchLength?: number
  /** While all connections together hold too many outbound bytes, waits at most `within` milliseconds [P52]. */
  untilRoom?: (within: number) => Promise<void>
}) {
  let queue: Pending[] = []
  let inFlight: Pending[] = []
  /** The keys of the entries that are being committed. They are only needed, and made, when somebody asks for one. */
  let inFlightKeys: Set<string> | undefined
  let running = false
  /** True after the database did not answer, until `recover` finds that it answers again. */
  let down = false
  let closing = false
  const batchSizes = new Histogram(BATCH_BOUNDS)
  const commitSeconds = new Histogram(SECONDS)
  /** The batch that was committed last: when it was taken from the queue, when its round trip ended, and its requests. */
  const lastBatch = { takenAt: 0, committedAt: 0, size: 0 }
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
      inFlightKeys = undefined
      batchSizes.observe(inFlight.length)
      lastBatch.takenAt = begun
      lastBatch.size = inFlight.length
      const isBusy = inFlight.length > 1
      try {
        if (inFlight.every(isDraft)) await commitDrafts(inFlight)
        else await commitMixed(inFlight)
      } catch (error) {
        // The queued requests fail as well: they would meet the same fault later, after the time limit for their answer.
        const failed = [...inFlight, ...queue]
        queue = []
        // Mark the database as down before answering: clients send again at once.
        if (error instanceof AppError && error.code === 'unavailable') recover()
        fail(failed, error)
      }
      inFlight = []
      inFlightKeys = undefined
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
      lastBatch.committedAt = performance.now()
      commitSeconds.observe((lastBatch.committedAt - begun) / 1000)
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

  /** Takes the oldest requests from the queue. */
  function takeBatch (): Pending[] {
    let length = 0
    const end = queue.findIndex((pending, i) => {
      const isOver = length >= batchLength || i === batchSize
      length += lengthOf(pending)
      return isOver
    })
    const batch = end === -1 ? queue : queue.slice(0, end)
    queue = end === -1 ? [] : queue.slice(end)
    return batch
  }

  async function commitDrafts (batch: PendingDraft[]): Promise<void> {
    const { firsts, places } = withoutRepeats(batch)
    const verdicts = await timed(store.publish(firsts))
    deliver(settleDrafts(batch, places, verdicts), batch[0]!.queuedAt)
    tellPeers(verdicts)
  }

  /**
   * Commits requests of several kinds. Requests of one connection are never of different kinds at once [P7], so their order among the kinds
   * is free. The entries of each kind in a channel have consecutive numbers.
   */
  async function commitMixed (batch: Pending[]): Promise<void> {
    const drafts = batch.filter(isDraft)
    const changes = batch.filter(pending => pending.kind === 'change')
    const reactions = batch.filter(pending => pending.kind === 'reaction')
    const { firsts, places } = withoutRepeats(drafts)
    const verdicts = await timed(store.commit({
      messages: firsts, changes: changes.map(({ change }) => change), reactions: reactions.map(({ reaction }) => reaction)
    }, maxReactions))
    const stored = [
      settleDrafts(drafts, places, verdicts.messages),
      settleChanges(changes, verdicts.changes),
      settleReactions(reactions, verdicts.reactions)
    ]
    for (const entries of stored) deliver(entries, batch[0]!.queuedAt)
    tellPeers(verdicts.messages)
  }

  /** Acks all drafts. @returns the stored messages by channel. */
  function settleDrafts (batch: PendingDraft[], places: Place[], verdicts: Verdict[]): Map<string, Entry[]> {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ draft, done }, i) => {
      const { place, repeated } = places[i]!
      const verdict = verdicts[place]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { id, seq } = verdict
      const duplicate = verdict.duplicate || repeated
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
    return stored
  }

  /** Acks all edits and deletions. @returns their entries by channel. */
  function settleChanges (batch: PendingChange[], verdicts: ChangeVerdict[]): Map<string, Entry[]> {
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
    return stored
  }

  /** Acks all reactions. @returns the entries of those that changed something, by channel. */
  function settleReactions (batch: PendingReaction[], verdicts: ReactionVerdict[]): Map<string, Entry[]> {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ reaction: { channelName: channel, userId, messageId: id, reaction, isAdded }, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return answer(done, new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { channelId, seq, username, handle } = verdict
      const timestamp = verdict.createdAt.toISOString()
      answer(done, null, { channel, id, ...seq !== null && { seq }, reaction, timestamp })
      if (seq === null) return
      const type = isAdded ? 'reaction_added' : 'reaction_removed'
      append(stored, channelId, { type, id, seq, channel, user_id: userId, username, handle, reaction, timestamp })
    })
    return stored
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

  /** Tells the users of direct channels that are new to them, or that they had left [P47]. */
  function tellPeers (verdicts: Verdict[]): void {
    for (const verdict of verdicts) {
      if (verdict.code !== null || verdict.told === null) continue
      events.membershipBegan(verdict.told)
      events.directOpened(verdict.told)
    }
  }

  /** Answers one request. If `done` throws, the other requests are still answered: what is stored stays stored. */
  function answer<R> (done: Done<R>, error: AppError | null, receipt?: R): void {
    try {
      done(error, receipt)
    } catch (fault) {
      events.faultFound(fault)
    }
  }

  function fail (batch: Pending[], error: unknown): void {
    const shown = error instanceof AppError ? error : new AppError('internal')
    for (const { done } of batch) answer(done as Done<never>, shown)
    if (shown !== error) events.faultFound(error)
  }

  return {
    publish: (draft: Draft, done: Done): void => enqueue({ kind: 'draft', draft, id: uuidv7(), done, queuedAt: performance.now() }),
    /** Queues an edit or deletion behind the requests that already wait [P34]. */
    change: (change: MessageChange, done: Done): void =>
      enqueue({ kind: 'change', change, done, queuedAt: performance.now() }),
    /** Queues a reaction behind the requests that already wait [P40]. */
    react: (reaction: NewReaction, done: Done<ReactionReceipt>): void =>
      enqueue({ kind: 'reaction', reaction, done, queuedAt: performance.now() }),
    /** Whether this entry is being committed, with an unknown outcome. Then only its own batch may deliver it. */
    isInFlight (entry: Entry): boolean {
      inFlightKeys ??= new Set(inFlight.map(keyOfPending))
      return inFlightKeys.has(keyOf(entry))
    },
    batchSizes,
    commitSeconds,
    lastBatch,
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

function append (entriesOf: Map<string, Entry[]>, channelId: string, entry: Entry): void {
  const entries = entriesOf.get(channelId)
  if (entries) entries.push(entry)
  else entriesOf.set(channelId, [entry])
}

export type Publisher = ReturnType<typeof createPublisher>

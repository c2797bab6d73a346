import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { Entry, Receipt } from '../schemas/message.ts'
import type { MessageStore, NewMessage, Verdict } from '../store/messages.ts'
import type { Events } from './events.ts'

/** A message that its sender may send, as far as this instance knows; the database has the last word [P32]. */
export interface Draft {
  channelId: string
  channel: string
  userId: string
  username: string
  text: string
  clientId: string | undefined
}

/** Called once per draft, in the order they were queued; before anyone receives the message. */
export type Done = (error: AppError | null, receipt?: Receipt) => void

interface Pending { draft: Draft, id: string, done: Done }

const RETRY_AFTER_MS = 1000

/**
 * The one committer of this instance. Drafts wait in a bounded queue; all that wait (up to `batchSize`) go to the
 * database in one round trip, so the busier it gets, the less each costs. Acks come after the commit and before the
 * message goes out [P26].
 */
export function createPublisher ({ store, events, queueSize, batchSize }: {
  store: MessageStore, events: Events, queueSize: number, batchSize: number
}) {
  let queue: Pending[] = []
  let inFlight: Pending[] = []
  let running = false
  let idle: () => void = () => {}

  /** Queues a draft. Full queue: `busy` at once; database gone: `unavailable`, within the database's time-outs. */
  function publish (draft: Draft, done: Done): void {
    if (queue.length >= queueSize) return done(new AppError('busy', { retryAfterMs: RETRY_AFTER_MS }))
    queue.push({ draft, id: uuidv7(), done })
    if (running) return
    running = true
    setImmediate(commitAll)
  }

  async function commitAll (): Promise<void> {
    while (queue.length > 0) {
      inFlight = queue.slice(0, batchSize)
      queue = queue.slice(batchSize)
      try {
        settle(inFlight, await judge(inFlight))
      } catch (error) {
        // Those still waiting would only meet the same fault later, past the bound on their answer.
        const failed = [...inFlight, ...queue]
        queue = []
        fail(failed, error)
      }
      inFlight = []
    }
    running = false
    idle()
  }

  /** One verdict per draft. The same client id twice in a batch is stored once; the second is its duplicate [P28]. */
  async function judge (batch: Pending[]): Promise<Verdict[]> {
    const firsts: NewMessage[] = []
    const placeOf = new Map<string, number>()
    const places = batch.map(({ draft, id }) => {
      const key = draft.clientId === undefined ? id : `${draft.channelId} ${draft.userId} ${draft.clientId}`
      const place = placeOf.get(key)
      if (place !== undefined) return { place, repeated: true }
      placeOf.set(key, firsts.length)
      firsts.push({ id, channelId: draft.channelId, userId: draft.userId, content: draft.text, clientId: draft.clientId })
      return { place: firsts.length - 1, repeated: false }
    })
    const verdicts = await store.publish(firsts)
    return places.map(({ place, repeated }) => {
      const verdict = verdicts[place]!
      return repeated && verdict.code === null ? { ...verdict, duplicate: true } : verdict
    })
  }

  /** Acks first, all of them; then the stored messages, channel by channel. */
  function settle (batch: Pending[], verdicts: Verdict[]): void {
    const stored = new Map<string, Entry[]>()
    batch.forEach(({ draft, done }, i) => {
      const verdict = verdicts[i]!
      if (verdict.code !== null) return done(new AppError(verdict.code, { retryAfterMs: verdict.retryAfterMs }))
      const { id, seq, duplicate } = verdict
      const timestamp = verdict.createdAt.toISOString()
      const client = draft.clientId === undefined ? undefined : { client_id: draft.clientId }
      done(null, { channel: draft.channel, id, seq, timestamp, ...client, ...duplicate && { duplicate } })
      if (duplicate) return
      const entry: Entry = {
        type: 'message', id, seq, channel: draft.channel, user_id: draft.userId, username: draft.username, message: draft.text, timestamp, ...client
      }
      const entries = stored.get(draft.channelId)
      if (entries) entries.push(entry)
      else stored.set(draft.channelId, [entry])
    })
    for (const [channelId, entries] of stored) events.entriesStored(channelId, entries)
  }

  function fail (batch: Pending[], error: unknown): void {
    const shown = error instanceof AppError ? error : new AppError('internal')
    for (const { done } of batch) done(shown)
    if (shown !== error) events.faultFound(error)
  }

  return {
    publish,
    /** Is this message of ours in a batch whose outcome is not known yet? Only the batch itself may then deliver it. */
    isInFlight: (id: string): boolean => inFlight.some(pending => pending.id === id),
    /** Resolves when nothing waits any more. */
    drained: (): Promise<void> => running ? new Promise(resolve => { idle = resolve }) : Promise.resolve()
  }
}

export type Publisher = ReturnType<typeof createPublisher>

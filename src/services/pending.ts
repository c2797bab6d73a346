import type { AppError } from '../errors.ts'
import { keyOf, type Receipt } from '../schemas/message.ts'
import type { ReactionReceipt } from '../schemas/reaction.ts'
import type { MessageChange, NewMessage } from '../store/messages.ts'
import type { NewReaction } from '../store/reactions.ts'
import type { Actor } from '../store/users.ts'

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

/**
 * Called once per request and before any client receives its entry: for requests of one kind in the order in which they were queued.
 */
export type Done<R = Receipt> = (error: AppError | null, receipt?: R) => void

/** A queued request: a new message, an edit or deletion, or a reaction. `queuedAt` is on the clock of `performance.now()`. */
export interface PendingDraft { kind: 'draft', draft: Draft, id: string, done: Done, queuedAt: number }
export interface PendingChange { kind: 'change', change: MessageChange, done: Done, queuedAt: number }
export interface PendingReaction { kind: 'reaction', reaction: NewReaction, done: Done<ReactionReceipt>, queuedAt: number }
export type Pending = PendingDraft | PendingChange | PendingReaction

export function isDraft (pending: Pending): pending is PendingDraft {
  return pending.kind === 'draft'
}

/** The key of the entry that the request becomes if it is stored. */
export function keyOfPending (pending: Pending): string {
  if (pending.kind === 'draft') return keyOf({ type: 'message', id: pending.id })
  if (pending.kind === 'change') {
    const { messageId: id, text } = pending.change
    return keyOf({ type: text === null ? 'message_deleted' : 'message_edited', id })
  }
  const { messageId: id, userId, reaction, isAdded } = pending.reaction
  return keyOf({ type: isAdded ? 'reaction_added' : 'reaction_removed', id, user_id: userId, reaction })
}

export function lengthOf (pending: Pending): number {
  if (pending.kind === 'reaction') return pending.reaction.reaction.length
  const { text, data } = pending.kind === 'draft' ? pending.draft : pending.change
  return (text?.length ?? 0) + (data?.length ?? 0)
}

/** Where a draft's verdict stands. `repeated`: an earlier draft of the batch has the same client id. */
export interface Place { place: number, repeated: boolean }

/** The messages to store, and for each draft its place among them. A repeated client id is stored once; later drafts repeat it [P28]. */
export function withoutRepeats (batch: PendingDraft[]): { firsts: NewMessage[], places: Place[] } {
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
  return { firsts, places }
}

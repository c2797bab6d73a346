import type { Entry, Message } from './wire.ts'

export type Reaction = Extract<Entry, { type: 'reaction_added' | 'reaction_removed' }>

/** User ids that a message names for each reaction. */
const SHOWN_USERS = 20

/** Applies a reaction that was added or taken back. Those up to `reactions_seq` are in the message already. */
export function reacted (message: Message, { type, seq, reaction, user_id: userId }: Reaction): Message {
  if (message.deleted || seq <= (message.reactions_seq ?? 0)) return message
  const { reactions: before = [], ...rest } = message
  const known = before.find(item => item.reaction === reaction)
  if (!known && type === 'reaction_removed') return message
  const { count, user_ids: ids } = known ?? { count: 0, user_ids: [] }
  const now = type === 'reaction_added'
    ? { reaction, count: count + 1, user_ids: [...ids, userId].slice(0, SHOWN_USERS) }
    : { reaction, count: count - 1, user_ids: ids.filter(id => id !== userId) }
  const reactions = known ? before.map(item => item === known ? now : item) : [...before, now]
  const left = reactions.filter(({ count }) => count > 0)
  return { ...rest, ...left.length > 0 && { reactions: left } }
}

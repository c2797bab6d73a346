import { FormatRegistry, Type, type Static } from '@sinclair/typebox'
import { AnyHandle, Seq, Timestamp, Uuid } from './common.ts'

/** Most code points of a reaction. */
const MAX_LENGTH = 32

/**
 * Blanks, controls (those of bidirectional text too, which would turn the text around it) and lone surrogates. A joiner is none of them,
 * because emojis such as a family consist of several joined ones.
 */
const REFUSED = /[\s\p{Z}\p{Cc}\p{Cs}\p{Bidi_Control}\u200b]/u
/** A reaction of nothing but code points that are not shown would be an invisible one. */
const VISIBLE = /[^\p{Default_Ignorable_Code_Point}]/u

FormatRegistry.Set('reaction', value =>
  value.length <= 2 * MAX_LENGTH && [...value].length <= MAX_LENGTH && VISIBLE.test(value) && !REFUSED.test(value))

/** [P40] */
export const Reaction = Type.String({
  format: 'reaction', description: '1 to 32 code points without blanks and controls', examples: ['👍']
})

/** The reactions to a message as history shows them: each with the number of its users and the first of them, oldest first [P40]. */
export const ReactionCounts = Type.Array(Type.Object({
  reaction: Type.String(), count: Type.Integer({ minimum: 1 }), user_ids: Type.Array(Uuid)
}))

const about = { channel: Type.String(), id: Uuid, reaction: Type.String(), timestamp: Timestamp }

/** The confirmation that a reaction was added or taken back. Without `seq`, it had been before, and nothing was stored. */
export const ReactionReceipt = Type.Object({ ...about, seq: Type.Optional(Seq) }, { $id: 'ReactionReceipt' })
export type ReactionReceipt = Static<typeof ReactionReceipt>

const entry = { ...about, seq: Seq, user_id: Uuid, username: Type.String(), handle: AnyHandle }
export const ReactionAdded = Type.Object({ type: Type.Literal('reaction_added'), ...entry },
  { description: 'A user added a reaction to a message, an entry of the channel\'s sequence [P40].' })
export const ReactionRemoved = Type.Object({ type: Type.Literal('reaction_removed'), ...entry },
  { description: 'A user took a reaction back, an entry of the channel\'s sequence [P40].' })

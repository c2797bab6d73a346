import { Type, type Static } from '@sinclair/typebox'

/** A command that a script sends over the socket of the data directory, as one line of JSON. */
export const OperatorRequest = Type.Object({
  command: Type.Union([Type.Literal('admin'), Type.Literal('prune'), Type.Literal('snapshot'), Type.Literal('status')]),
  args: Type.Array(Type.String({ maxLength: 4096 }), { maxItems: 8 })
})
export type OperatorRequest = Static<typeof OperatorRequest>

/** A line of the server's answer: text to print, then the end of the command, or the reason why it failed. */
export const OperatorAnswer = Type.Union([
  Type.Object({ text: Type.String() }),
  Type.Object({ done: Type.Literal(true) }),
  Type.Object({ failure: Type.String() })
])
export type OperatorAnswer = Static<typeof OperatorAnswer>

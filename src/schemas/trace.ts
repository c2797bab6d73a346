import { Type, type Static } from '@sinclair/typebox'
import { Choice, Seq, Uuid } from './common.ts'

/** The places that a message comes by, in their order [P80]. */
export const traceSteps = [
  'received', 'parsed', 'queued', 'batched', 'committed', 'acked', 'received_from_bus', 'published', 'written_first', 'written_last',
  'drained_last'
] as const
export type TraceStep = typeof traceSteps[number]

/** When a message was where, and nothing of what it says. */
export const Trace = Type.Object({
  channel: Type.String(),
  id: Uuid,
  seq: Seq,
  steps: Type.Array(Type.Object({
    step: Choice([...traceSteps]), at_ms: Type.Number({ minimum: 0, description: 'milliseconds since the first step' })
  })),
  subscribers: Type.Integer({ description: 'connections of this instance that the message goes to' }),
  batch: Type.Integer({ description: 'requests of the same commit, or entries that the bus brought together' })
}, { description: 'The way of one message of a channel that this admin traces [P80].' })
export type Trace = Static<typeof Trace>

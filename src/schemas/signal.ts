import { Type, type Static } from '@sinclair/typebox'
import { PersonWithHandle } from './channel.ts'
import { Timestamp } from './common.ts'

/** The name of a signal, such as `typing` [P42]. */
export const SignalName = Type.String({ pattern: '^[a-z][a-z0-9_.-]{0,31}$', examples: ['typing'] })
/** The service checks its size and what it contains. */
export const SignalData = Type.Optional(Type.Unknown())

export const SignalCreation = Type.Object({ event: SignalName, data: SignalData }, { additionalProperties: false })

/** A signal as the channel's other subscribers get it. `data` is absent where the sender gave none. */
export const Signal = Type.Object({
  channel: Type.String(), event: SignalName, ...PersonWithHandle.properties, data: SignalData, timestamp: Timestamp
}, { description: 'Something that is not kept, from another connection in the channel, such as typing [P42].' })
export type Signal = Static<typeof Signal>

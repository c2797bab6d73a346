import { signal } from '@preact/signals'
import { parley } from '../client.ts'

export type Waiting = 'waiting' | 'failed'

/** The channels in which messages of this person wait to be stored, or have failed. */
export const waiting = signal<ReadonlyMap<string, Waiting>>(read())
parley.outbox.subscribe(() => { waiting.value = read() })

function read (): ReadonlyMap<string, Waiting> {
  const found = new Map<string, Waiting>()
  for (const { channel, state } of parley.outbox.getSnapshot()) {
    if (state === 'failed' || !found.has(channel)) found.set(channel, state === 'failed' ? 'failed' : 'waiting')
  }
  return found
}

import { signal } from '@preact/signals'
import { land } from './landing.ts'

/** The channel that somebody has asked to join. */
export const entering = signal<string | undefined>(undefined)

/** Shows a channel, and joins it. */
export function enter (name: string): void {
  entering.value = name
  land({ view: 'channel', name })
}

import type { Channel } from '@parley/client'

/** Opens the card of a person. `channel`: the one in which they were met. */
export function openCard (person: { user_id: string, username: string, channel?: Channel }): void {
  // Another subject.
  console.debug(person)
}

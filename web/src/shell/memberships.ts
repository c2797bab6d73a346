import { parley } from '../client.ts'
import { load, save } from '../keep.ts'

// The names of the person's channels, as they were at the end of the last visit: without a connection, the server cannot be asked for them.

const key = (): string => `joined:${parley.account.getSnapshot()?.user_id ?? 'guest'}`

addEventListener('pagehide', () => {
  const { state, channels, directs } = parley.inbox.getSnapshot()
  // Without a connection, the list is what was known before.
  if (state === 'live' || channels.length + directs.length > 0) save(key(), [...channels, ...directs].map(({ name }) => name))
})

/** Whether this person was a member of the channel at the end of their last visit. */
export function wasMember (name: string): boolean {
  return load(key(), names => Array.isArray(names) && names.includes(name))
}

import { signal } from '@preact/signals'
import { parley } from '../client.ts'

/** Bans that this user was told of since the page was loaded, by channel. Only these notices have a reason. */
export const bans = signal<Readonly<Record<string, { reason: string | null, until: string | null }>>>({})

parley.on('banned_from_channel', ({ channel, reason, expires_at: until }) => {
  bans.value = { ...bans.value, [channel]: { reason, until } }
})

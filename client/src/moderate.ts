import type { RestClient } from './rest.ts'
import type { Calls } from './calls.ts'
import type { Reply, Routes } from './wire.ts'

type Page<R extends keyof Routes> = (query?: Routes[R]['query']) => Promise<Routes[R]['answer']>

/** The acts of a channel's moderators. Each rejects with a ParleyError, such as `not_authorized`. Durations are in seconds. */
export interface Moderate {
  kick (userId: string): Promise<Reply<'kick_user'>>
  /** Without a duration for good. */
  ban (userId: string, options?: { reason?: string, duration?: number }): Promise<Reply<'ban_user'>>
  unban (userId: string): Promise<Reply<'unban_user'>>
  /** For an hour if no duration is given. */
  mute (userId: string, options?: { duration?: number }): Promise<Reply<'mute_user'>>
  unmute (userId: string): Promise<Reply<'unmute_user'>>
  invite (userId: string): Promise<Reply<'invite_user'>>
  addModerator (userId: string): Promise<Reply<'add_moderator'>>
  removeModerator (userId: string): Promise<Reply<'remove_moderator'>>
  members: Page<'GET /api/channels/:name/members'>
  bans: Page<'GET /api/channels/:name/bans'>
  mutes: Page<'GET /api/channels/:name/mutes'>
  moderators: Page<'GET /api/channels/:name/moderators'>
  log: Page<'GET /api/channels/:name/log'>
}

const commands = {
  kick: 'kick_user', ban: 'ban_user', unban: 'unban_user', mute: 'mute_user', unmute: 'unmute_user', invite: 'invite_user',
  addModerator: 'add_moderator', removeModerator: 'remove_moderator'
} as const
const lists = ['members', 'bans', 'mutes', 'moderators', 'log'] as const

/** Makes the methods of a channel's moderators. */
export function createModerate ({ calls, rest }: { calls: Calls, rest: RestClient }, channel: string): Moderate {
  const acts = Object.entries(commands).map(([name, command]) =>
    [name, (userId: string, options: object = {}) => calls.request(command, { channel, user_id: userId, ...options })])
  const reads = lists.map(path =>
    [path, (query: object = {}) => rest(`GET /api/channels/:name/${path}`, { params: { name: channel }, query })])
  return Object.fromEntries([...acts, ...reads]) as unknown as Moderate
}

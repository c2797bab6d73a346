import type { ErrorCode } from '../../src/errors.ts'
import type { ChannelType, Role } from '../../src/schemas/common.ts'
import type { UserAct } from '../../src/schemas/moderation.ts'

/** Who acts: a role, or a guest [P16]. */
export type Kind = Role | 'guest'
/** What the actor is to the channel. Creator and moderator are members as long as their role fits the channel. */
export type Standing = 'creator' | 'moderator' | 'member' | 'invited' | 'banned' | 'stranger'
/** What the other user is to the actor: the channel's creator, or someone whose role compares to his. */
export type Relation = 'self' | 'creator' | 'equal' | 'higher' | 'lower'
export type Act =
  | UserAct | 'edit_message' | 'delete_message'
  | 'join' | 'leave' | 'send' | 'history' | 'members' | 'online' | 'moderators' | 'bans' | 'mutes' | 'log'
  | 'make_private' | 'make_admin' | 'delete_channel'

export interface Case { type: ChannelType, kind: Kind, standing: Standing, act: Act, relation: Relation }

export const types: ChannelType[] = ['public', 'private', 'admin', 'moderator']
export const kinds: Kind[] = ['guest', 'user', 'moderator', 'admin']
export const standings: Standing[] = ['creator', 'moderator', 'member', 'invited', 'banned', 'stranger']
const roles: Role[] = ['user', 'moderator', 'admin']
export const roleOf = (kind: Kind): Role => kind === 'guest' ? 'user' : kind

/** [P18] Guests are limited to public channels [P16]. */
export function fits (kind: Kind, type: ChannelType): boolean {
  if (type === 'admin') return kind === 'admin'
  if (type === 'moderator') return kind === 'admin' || kind === 'moderator'
  return type === 'public' || kind !== 'guest'
}

export function isMember ({ kind, type, standing }: Case): boolean {
  return fits(kind, type) && ['creator', 'moderator', 'member'].includes(standing)
}

/** The relations that such an actor can have to someone in such a channel. */
export function relationsOf (kind: Kind, standing: Standing): Relation[] {
  return [
    'self',
    'equal',
    ...standing === 'creator' ? [] : ['creator' as const],
    ...kind === 'admin' ? [] : ['higher' as const],
    ...roleOf(kind) === 'user' ? [] : ['lower' as const]
  ]
}

/** The role of someone who is `relation` to an actor of this kind. The channel's creator has the lowest that its type allows. */
export function roleOfOther ({ type, kind, relation }: Case): Role {
  if (relation === 'creator') return type === 'admin' || type === 'moderator' ? type : 'user'
  return roles[roles.indexOf(roleOf(kind)) + (relation === 'higher' ? 1 : relation === 'lower' ? -1 : 0)]!
}

/** Acts of the table, and whether it matters who they are about. */
export const acts: Record<Act, 'anyone' | 'nobody'> = {
  invite_user: 'anyone', kick_user: 'anyone', ban_user: 'anyone', unban_user: 'anyone', mute_user: 'anyone', unmute_user: 'anyone',
  add_moderator: 'anyone', remove_moderator: 'anyone', edit_message: 'anyone', delete_message: 'anyone',
  join: 'nobody', leave: 'nobody', send: 'nobody', history: 'nobody', members: 'nobody', online: 'nobody',
  moderators: 'nobody', bans: 'nobody', mutes: 'nobody', log: 'nobody',
  make_private: 'nobody', make_admin: 'nobody', delete_channel: 'nobody'
}

/** docs/protocol.md as a function: the code that refuses, or `ok`. The order is [P9]'s: visible, authorised, state. */
export function verdict (c: Case, transport: 'rest' | 'wire'): ErrorCode | 'ok' {
  const { type, kind, standing, act } = c
  // A send on a connection that is not subscribed [P19] [P26].
  if (act === 'send' && transport === 'wire') return 'not_in_channel'
  if (!sees(c)) return 'channel_not_found'
  const allow = (may: boolean): ErrorCode | 'ok' => may ? 'ok' : 'not_authorized'
  switch (act) {
    case 'join':
      return !fits(kind, type) ? 'not_authorized' : standing === 'banned' ? 'banned' : 'ok'
    case 'leave':
      return 'ok'
    case 'send':
      return standing === 'banned' ? 'banned' : isMember(c) ? 'ok' : 'not_in_channel'
    case 'history':
    case 'members':
    case 'online':
    case 'moderators':
      return allow(fits(kind, type))
    case 'bans':
    case 'mutes':
    case 'log':
      return allow(canModerate(c))
    case 'invite_user':
      return canModerate(c) && standing === 'banned' && c.relation === 'self' ? 'banned' : allow(canModerate(c))
    case 'make_private':
    case 'delete_channel':
    case 'add_moderator':
    case 'remove_moderator':
      return allow(owns(c))
    case 'make_admin':
      return allow(kind === 'admin')
    case 'edit_message':
      if (kind === 'guest' || !fits(kind, type) || c.relation !== 'self') return 'not_authorized'
      return standing === 'banned' ? 'banned' : isMember(c) ? 'ok' : 'not_in_channel'
    case 'delete_message':
      if (kind === 'guest' || !fits(kind, type) || (c.relation !== 'self' && !(canModerate(c) && outranks(c)))) return 'not_authorized'
      return standing === 'banned' && kind !== 'admin' ? 'banned' : 'ok'
    default:
      return allow(canModerate(c) && outranks(c))
  }
}

/** [P19] */
function sees ({ type, kind, standing }: Case): boolean {
  return type !== 'private' || kind === 'admin' || (kind !== 'guest' && !['banned', 'stranger'].includes(standing))
}

function canModerate ({ type, kind, standing }: Case): boolean {
  if (kind === 'admin') return true
  if (kind === 'guest' || !fits(kind, type) || standing === 'banned') return false
  return standing === 'creator' || standing === 'moderator' || (kind === 'moderator' && type === 'moderator')
}

function owns ({ type, kind, standing }: Case): boolean {
  return kind === 'admin' || (standing === 'creator' && fits(kind, type))
}

function outranks (c: Case): boolean {
  return c.relation !== 'self' && c.relation !== 'creator' && roles.indexOf(roleOfOther(c)) <= roles.indexOf(roleOf(c.kind))
}

import type { ErrorCode } from '../../src/errors.ts'
import type { ChannelType, Role } from '../../src/schemas/common.ts'
import type { Who } from '../../src/requests/row.ts'
import { commands, type CommandName } from '../../src/requests/table.ts'

/** The acting user: a user with this role, or a guest [P16]. */
export type Kind = Role | 'guest'
/** The actor's relation to the channel. Creators and moderators are members as long as their role may join the channel. */
export type Standing = 'creator' | 'moderator' | 'member' | 'invited' | 'banned' | 'stranger'
/** Whom an act is about: the actor themselves, the channel's creator, or a user whose role is equal, higher or lower than the actor's. */
export type Relation = 'self' | 'creator' | 'equal' | 'higher' | 'lower'
/** A command of the table, or a request that is not a command. */
export type Act = Exclude<CommandName, 'create_channel'> | keyof typeof otherActs

export interface Case { type: ChannelType, kind: Kind, standing: Standing, act: Act, relation: Relation }

export const types: ChannelType[] = ['public', 'private', 'admin', 'moderator']
export const kinds: Kind[] = ['guest', 'user', 'moderator', 'admin']
export const standings: Standing[] = ['creator', 'moderator', 'member', 'invited', 'banned', 'stranger']
const roles: Role[] = ['user', 'moderator', 'admin']
export const roleOf = (kind: Kind): Role => kind === 'guest' ? 'user' : kind

/** Whether this kind of user may join a channel of this type [P18]. Guests may join only public channels [P16]. */
export function fits (kind: Kind, type: ChannelType): boolean {
  if (type === 'admin') return kind === 'admin'
  if (type === 'moderator') return kind === 'admin' || kind === 'moderator'
  return type === 'public' || kind !== 'guest'
}

export function isMember ({ kind, type, standing }: Case): boolean {
  return fits(kind, type) && ['creator', 'moderator', 'member'].includes(standing)
}

/** The relations that an actor of this kind and standing can have to the user whom an act is about. */
export function relationsOf (kind: Kind, standing: Standing): Relation[] {
  return [
    'self',
    'equal',
    ...standing === 'creator' ? [] : ['creator' as const],
    ...kind === 'admin' ? [] : ['higher' as const],
    ...roleOf(kind) === 'user' ? [] : ['lower' as const]
  ]
}

/** The role of the other user in this case. The channel's creator has the lowest role that may join the channel. */
export function roleOfOther ({ type, kind, relation }: Case): Role {
  if (relation === 'creator') return type === 'admin' || type === 'moderator' ? type : 'user'
  return roles[roles.indexOf(roleOf(kind)) + (relation === 'higher' ? 1 : relation === 'lower' ? -1 : 0)]!
}

/** Requests that are not commands, with the right that each requires. None of them is about another user. */
const otherActs = {
  join: 'user', leave: 'user', send: 'user', signal: 'user', history: 'user', message: 'user', members: 'user', online: 'user',
  moderators: 'user', bans: 'moderator', mutes: 'moderator', log: 'moderator', reports: 'moderator', settle_report: 'moderator',
  make_private: 'creator or admin', make_admin: 'admin'
} as const

/** Every act with the right that it requires. `isAboutSomeone`: it names a user, or a message that a user wrote. */
export const acts = Object.fromEntries([
  ...Object.entries(commands)
    .filter(([, { fields }]) => 'channel' in fields)
    .map(([name, { fields, who }]) => [name, { who, isAboutSomeone: 'user_id' in fields || 'id' in fields }]),
  ...Object.entries(otherActs).map(([name, who]) => [name, { who, isAboutSomeone: false }])
]) as Record<Act, { who: Who | 'admin', isAboutSomeone: boolean }>

/** The rules of docs/protocol.md as a function: the expected error code, or `ok`. Checks have the order of [P9]. */
export function verdict (c: Case, transport: 'rest' | 'wire'): ErrorCode | 'ok' {
  // The connections of the test have no subscription, and a send or reaction without one answers not_in_channel everywhere [P19] [P26].
  if (['send', 'signal', 'add_reaction', 'remove_reaction'].includes(c.act) && transport === 'wire') return 'not_in_channel'
  if (!sees(c)) return 'channel_not_found'
  return isAuthorised(c) ? stateOf(c) : 'not_authorized'
}

function isAuthorised (c: Case): boolean {
  const { type, kind, act } = c
  switch (acts[act].who) {
    case 'user':
      return act === 'leave' || act === 'send' || act === 'signal' || fits(kind, type)
    case 'registered user': return kind !== 'guest'
    case 'member': return kind !== 'guest' && fits(kind, type)
    case 'creator or admin': return owns(c)
    case 'moderator': return canModerate(c)
    case 'moderator not below the target': return canModerate(c) && outranks(c)
    case 'author': return kind !== 'guest' && fits(kind, type) && c.relation === 'self'
    case 'author, or moderator not below them':
      return kind !== 'guest' && fits(kind, type) && (c.relation === 'self' || (canModerate(c) && outranks(c)))
    case 'member except the author': return kind !== 'guest' && fits(kind, type) && c.relation !== 'self'
    case 'admin': return kind === 'admin'
    case 'anyone': throw new Error(`${act}: anyone may ask this, also without a channel`)
  }
}

/** The error code for an actor who is authorised but banned or not a member, or `ok`. */
function stateOf (c: Case): ErrorCode | 'ok' {
  const { kind, standing, act, relation } = c
  const isBanned = standing === 'banned'
  switch (act) {
    case 'join': return isBanned ? 'banned' : 'ok'
    case 'send': case 'signal': case 'edit_message': case 'report_message': case 'add_reaction': case 'remove_reaction':
      return isBanned ? 'banned' : isMember(c) ? 'ok' : 'not_in_channel'
    case 'invite_user': return isBanned && relation === 'self' ? 'banned' : 'ok'
    case 'delete_message': return isBanned && kind !== 'admin' ? 'banned' : 'ok'
    default: return 'ok'
  }
}

/** Whether the channel is visible to the actor [P19]. */
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

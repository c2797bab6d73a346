import { createHash } from 'node:crypto'
import { DAY, HOUR, MINUTE } from './calendar.ts'
import { planScenes, sayScenes } from './conversations.ts'
import type { NewId } from './ids.ts'
import { markRead } from './membership.ts'
import type { Account, Channel } from './model.ts'
import type { Random } from './random.ts'
import { number } from './reactions.ts'

/** Pairs of people who have a direct channel, by their places among the people. */
export const pairs = [[2, 3], [2, 5], [4, 2], [0, 1], [6, 2], [7, 0], [3, 4], [5, 7], [8, 9], [9, 3]] as const

/** Opens the direct channel of two people, with `count` messages. */
export function openDirect (random: Random, pair: [Account, Account], count: number, now: number, newId: NewId): Channel {
  const planned = planScenes(random, { files: ['directs'], rhythm: 'evening', count, from: now - 30 * DAY, until: now - HOUR })
  const createdAt = planned[0]!.times[0]! - MINUTE
  const said = sayScenes(random, planned, { newId, membersAt: () => pair })
  const channel: Channel = {
    id: newId(createdAt), name: directName(pair[0].id, pair[1].id), type: 'direct', topic: '', createdBy: null, createdAt, aclVersion: 0,
    members: pair.map(account => ({ account, joinedAt: createdAt, readSeq: 0 })),
    moderators: [], entries: number(said.map(({ message }) => message)), bans: [], mutes: [], invitations: []
  }
  markRead(random, channel)
  // The scripted people answer what they have not read, and this is not new.
  for (const member of channel.members) if (member.account.isScripted) member.readSeq = channel.entries.length
  return channel
}

/** [P47] The name that the server gives to the direct channel of two users. */
function directName (one: string, other: string): string {
  const hash = createHash('sha256')
  for (const id of [one, other].sort()) hash.update(Buffer.from(id.replaceAll('-', ''), 'hex'))
  return `direct-${hash.digest('hex').slice(0, 32)}`
}

import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { Joined, JoinRequest, JoinRules, MembershipStore } from '../store/memberships.ts'
import type { Actor } from '../store/users.ts'
import { createBatcher } from './batcher.ts'
import type { Events } from './events.ts'
import type { Reads } from './reads.ts'

export type Memberships = ReturnType<typeof createMemberships>

/** Joins users to channels and ends their memberships [P19]–[P22]. */
export function createMemberships ({ store, events, reads, rules }: {
  store: MembershipStore, events: Events, reads: Pick<Reads, 'position'>, rules: JoinRules
}) {
  const join = createBatcher<JoinRequest, Joined>(async batch => {
    const outcomes = await store.join(batch, rules)
    return outcomes.map(outcome => outcome.code === null ? outcome : new AppError(outcome.code, outcome))
  })

  return {
    /** Makes the user a member of the channel; no effect if they are one already. @throws AppError */
    async join ({ userId, sid }: Actor, channelName: string): Promise<Joined> {
      const joined = await join({ userId, sid, channelName, newId: uuidv7() })
      const { channelId, isNew, place } = joined
      if (isNew) events.membershipBegan(userId)
      return { ...joined, place: { ...place, read_seq: reads.position(userId, channelId, place.read_seq) } }
    },

    /** The ban of a user from a channel, undefined if it has ended. They learn its reason if they were told of the ban [P57]. */
    ban: store.ban,

    /**
     * Ends the membership on every connection of the user [P20]. The connection `connectionId` asked for it and gets no notice.
     * @throws AppError
     */
    async leave (actor: Actor, channelName: string, connectionId?: string): Promise<void> {
      const { userId } = actor
      const outcome = await store.leave(actor, channelName)
      if (outcome.code !== null) throw new AppError(outcome.code)
      if (!outcome.ended) return
      events.userNotified(userId, { type: 'channel_left', channel: channelName, timestamp: new Date().toISOString() }, connectionId)
      events.membershipsEnded(outcome.channelId, [userId], outcome.aclVersion)
    }
  }
}

import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { Channel } from '../schemas/channel.ts'
import type { DirectStore } from '../store/directs.ts'
import type { Actor } from '../store/users.ts'
import type { Channels } from './channels.ts'
import type { Events } from './events.ts'

export type Directs = ReturnType<typeof createDirects>

/** Opens direct channels [P47]. `createdPerMinute`: the channels that one user may make in a minute; 0 means no limit. */
export function createDirects ({ store, channels, events, createdPerMinute }: {
  store: DirectStore, channels: Pick<Channels, 'find'>, events: Events, createdPerMinute: number
}) {
  return {
    /**
     * Opens the direct channel of the acting user and `peerId`. If that makes the channel, or the user a member again, the user's other
     * connections are told. The connection `connectionId` asked for it and gets no notice. `isNew`: the channel was made now.
     * @throws AppError `not_authorized` for guests and with oneself, `user_not_found`, `blocked`, `rate_limited` [P58].
     */
    async open (actor: Actor, peerId: string, connectionId?: string): Promise<{ channel: Channel, isNew: boolean }> {
      const outcome = await store.open(actor, peerId, uuidv7(), createdPerMinute)
      if (outcome.code !== null) throw new AppError(outcome.code, outcome)
      const { channelName, isNew, effect } = outcome
      const { channel } = await channels.find(actor, channelName)
      if (isNew) events.membershipBegan(peerId)
      if (effect) {
        events.membershipBegan(actor.userId)
        events.userNotified(actor.userId, { type: 'direct_opened', channel, timestamp: new Date().toISOString() }, connectionId)
      }
      return { channel, isNew }
    }
  }
}

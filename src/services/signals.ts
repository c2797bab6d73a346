import { AppError } from '../errors.ts'
import type { MembershipStore } from '../store/memberships.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'
import { toJson, type DataLimits } from './json-data.ts'

export type Signals = ReturnType<typeof createSignals>

interface Draft { channelId: string, channelName: string, userId: string, username: string, event: string, data: unknown }

/** Sends signals, which are not stored [P42]. `dataLimits`: those of their `data`. */
export function createSignals ({ store, events, dataLimits }: { store: MembershipStore, events: Events, dataLimits: DataLimits }) {
  /** @throws AppError `invalid_request` if the data cannot be passed on as it is. */
  function check (data: unknown): void {
    if (data !== undefined) toJson(data, dataLimits)
  }

  /** Sends a signal with checked data of a user who may send it. The connection `except` does not get it. */
  function send ({ channelId, channelName: channel, userId, username, event, data }: Draft, except?: string): void {
    const timestamp = new Date().toISOString()
    const given = data === undefined || data === null ? undefined : { data }
    events.signalled(channelId, { channel, event, user_id: userId, username, ...given, timestamp }, except)
  }

  return {
    check,
    send,

    /** Sends a signal for a member of the channel who has no connection. @throws AppError */
    async publish (actor: Actor, username: string, channelName: string, event: string, data: unknown): Promise<void> {
      check(data)
      const outcome = await store.judgeSignal(actor, channelName)
      if (outcome.code !== null) throw new AppError(outcome.code, outcome)
      send({ channelId: outcome.channelId, channelName, userId: actor.userId, username, event, data })
    }
  }
}

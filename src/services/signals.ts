import { AppError } from '../errors.ts'
import type { MembershipStore } from '../store/memberships.ts'
import type { Account, Actor } from '../store/users.ts'
import type { Events } from './events.ts'
import { toJson, type DataLimits } from './json-data.ts'

export type Signals = ReturnType<typeof createSignals>

/** The user who sends a signal. */
type Sender = Pick<Account, 'id' | 'name' | 'handle'>

interface Draft { channelId: string, channelName: string, sender: Sender, event: string, data: unknown }

/** Sends signals, which are not stored [P42]. `dataLimits`: those of their `data`. */
export function createSignals ({ store, events, dataLimits }: { store: MembershipStore, events: Events, dataLimits: DataLimits }) {
  /** @throws AppError `invalid_request` if the data cannot be passed on as it is. */
  function check (data: unknown): void {
    if (data !== undefined) toJson(data, dataLimits)
  }

  /** Sends a signal with checked data of a user who may send it. The connection `except` does not get it. */
  function send ({ channelId, channelName: channel, sender, event, data }: Draft, except?: string): void {
    const timestamp = new Date().toISOString()
    const person = { user_id: sender.id, username: sender.name, handle: sender.handle }
    const given = data === undefined || data === null ? undefined : { data }
    events.signalled(channelId, { channel, event, ...person, ...given, timestamp }, except)
  }

  return {
    check,
    send,

    /** Sends a signal for a member of the channel who has no connection. @throws AppError */
    async publish (actor: Actor, sender: Sender, channelName: string, event: string, data: unknown): Promise<void> {
      check(data)
      const outcome = await store.judgeSignal(actor, channelName)
      if (outcome.code !== null) throw new AppError(outcome.code, outcome)
      send({ channelId: outcome.channelId, channelName, sender, event, data })
    }
  }
}

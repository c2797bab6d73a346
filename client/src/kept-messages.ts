import { createTimer, type Clock } from './clock.ts'
import type { KeptMessage, OutboxStorage } from './outbox-storage.ts'

/** Milliseconds for which messages are not sent because earlier ones are still being read. */
const PATIENCE = 3000

export type KeptMessages = ReturnType<typeof createKeptMessages>

/**
 * Keeps the messages of all channels in a storage, for the user of the connection. The first failure of the storage is
 * logged, and messages stay in memory. `onTaken` gets messages that are in the hand of this client now; `areAll`: all that are.
 */
export function createKeptMessages ({ storage, clock, onFault, onTaken, onReady }: {
  storage: OutboxStorage | undefined
  clock: Clock
  onFault (error: unknown): void
  onTaken (messages: readonly KeptMessage[], areAll: boolean): void
  /** Messages may be sent again. */
  onReady (): void
}) {
  const patience = createTimer(clock, ready)
  let userId: string | undefined
  let order = 0
  let hasFailed = false
  /** Changes with each start and end, so that the answer to an earlier start has no effect. */
  let era = 0

  /** @returns whether it succeeded. */
  async function attempt (work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!hasFailed) onFault(error)
      hasFailed = true
      return false
    }
  }

  function ready (): void {
    patience.stop()
    onReady()
  }

  return {
    /** Earlier messages are being read, so that later ones must wait. */
    get isReading () { return patience.isRunning },

    /** Reads what is kept for this user. Later messages are kept for them, too. */
    start (id: string): void {
      if (!storage) return
      const own = ++era
      userId = id
      patience.start(PATIENCE)
      const onFound = (messages: readonly KeptMessage[]): void => { if (userId === id) onTaken(messages, false) }
      const taken = (messages: readonly KeptMessage[]): void => { if (own === era) onTaken(messages, true) }
      attempt(() => storage.take(id, onFound).then(taken)).then(() => { if (own === era) ready() })
    },

    /** The client has disconnected, or its user is another. */
    stop (): void {
      era++
      userId = undefined
      patience.stop()
      storage?.release()
    },

    /** A number for the next message, higher than all before. */
    nextOrder: (): number => (order = Math.max(order + 1, clock.now())),

    /** @returns whether the message is kept now. */
    async put (message: KeptMessage): Promise<boolean> {
      const id = userId
      return !!storage && id !== undefined && attempt(() => storage.put(id, message))
    },

    remove (message: KeptMessage): void {
      const id = userId
      if (storage && id !== undefined) attempt(() => storage.remove(id, message))
    }
  }
}

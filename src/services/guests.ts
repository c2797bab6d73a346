import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import type { Config } from '../config-schema.ts'
import { AppError } from '../errors.ts'
import type { GuestStore } from '../store/guests.ts'
import type { LoginThrottle } from './login-throttle.ts'

export type Guests = ReturnType<typeof createGuests>

interface Guest { id: string, name: string, handle: null, email: null, role: 'user', guest: true, disconnects: 0 }

export interface GuestsDeps {
  store: GuestStore
  throttle: Pick<LoginThrottle, 'guest'>
  /** False if every connection needs a token: this instance then has no guests. */
  enabled: boolean
  onFault (error: unknown): void
  /** Milliseconds that a lease lasts, by the database's clock. An instance whose lease has run out counts as dead. */
  lease?: number
  /** Milliseconds between two renewals of the lease, and between two checks for dead instances. */
  renew?: number
}

/** Whether a client without a token becomes a guest: in place of users with accounts, or beside them. */
export function admitsGuests ({ enabled, guests }: Pick<Config['authentication'], 'enabled' | 'guests'>): boolean {
  return guests || !enabled
}

/** Guests that one statement ends at most, because it locks their channels while it runs. */
const ENDED_AT_ONCE = 50

/**
 * Guests: users without an account, who exist only as long as one connection [P16]. Each guest belongs to the instance that holds the
 * connection. Every instance renews a lease, and ends the guests of instances whose lease has run out [P60].
 */
export function createGuests ({ store, throttle, enabled, onFault, lease = 20_000, renew = 5000 }: GuestsDeps) {
  const instanceId = uuidv7()
  /** Ids of guests whose connections have ended and whose end is not yet stored in the database. */
  const unended = new Set<string>()
  /**
   * Earliest time at which this instance ends guests of other instances. No instance can renew its lease while the database is
   * unreachable, so once it is back, all of them get the length of one lease to renew theirs. Infinity: the database is unreachable.
   */
  let lookAfter = Infinity
  let running = false
  let stopped = false

  async function tick (): Promise<void> {
    if (running) return
    running = true
    try {
      await renewLease()
      if (lookAfter === Infinity) lookAfter = performance.now() + lease
      while (unended.size > 0 && !stopped) await endSome([...unended].slice(0, ENDED_AT_ONCE))
      while (performance.now() >= lookAfter && !stopped && await store.endLost(ENDED_AT_ONCE)) await renewLease()
    } catch (error) {
      lookAfter = Infinity
      onFault(error)
    } finally {
      running = false
    }
  }

  async function renewLease (): Promise<void> {
    if (enabled) await store.renewLease(instanceId, lease / 1000)
  }

  async function endSome (ids: string[]): Promise<void> {
    await store.end(ids)
    for (const id of ids) unended.delete(id)
  }

  const timer = setInterval(tick, renew).unref()
  if (enabled) tick()

  return {
    /**
     * Creates a guest for a connection. `current` is its user so far: a guest stays the same guest, any other user is refused.
     * `address`: the client's address, whose limit the new guest counts towards.
     * @throws AppError `not_authorized`, `rate_limited`.
     */
    async admit (
      current: { id: string, name: string, guest: boolean } | null, address: string
    ): Promise<{ user: Guest, sid: null, expiresAt: number }> {
      if (current && !current.guest) throw new AppError('not_authorized')
      if (!current) await throttle.guest(address)
      const { id, name } = current ?? { id: uuidv7(), name: `guest-${randomBytes(3).toString('hex')}` }
      if (!current) await store.admit({ id, name, instanceId, seconds: lease / 1000 })
      return { user: { id, name, handle: null, email: null, role: 'user', guest: true, disconnects: 0 }, sid: null, expiresAt: Infinity }
    },

    /** Ends a guest and their memberships when the connection ends. If the database is unreachable, this happens as soon as it is back. */
    async end (id: string): Promise<void> {
      unended.add(id)
      await endSome([id])
    },

    stop (): void {
      stopped = true
      clearInterval(timer)
    }
  }
}

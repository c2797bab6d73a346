import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { GuestStore } from '../store/guests.ts'

export type Guests = ReturnType<typeof createGuests>

interface Guest { id: string, name: string, email: null, role: 'user', guest: true, disconnects: 0 }

export interface GuestsDeps {
  store: GuestStore
  /** False where everyone has to bring a token: this instance has no guests then. */
  enabled: boolean
  onFault (error: unknown): void
  /** Milliseconds after which an instance that does not renew its lease counts as dead, by the database's clock. */
  lease?: number
  /** Milliseconds between renewals, and between looks for dead instances. */
  renew?: number
}

/** Guests that one statement ends: their channels are locked meanwhile. */
const ENDED_AT_ONCE = 50

/**
 * Users for as long as one connection lasts, where authentication is off [P16]. Each belongs to the instance that holds the connection;
 * every instance renews a lease, and ends the guests of those whose lease has run out [P60].
 */
export function createGuests ({ store, enabled, onFault, lease = 20_000, renew = 5000 }: GuestsDeps) {
  const instanceId = uuidv7()
  /** Whose connections are gone, and whom the database could not end yet. */
  const unended = new Set<string>()
  /** While the database was away no instance could renew its lease: they all get the time to, from the moment on that it is back. */
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
    /** `current`: who the connection speaks for already. A guest stays who they are; a user does not become one. @throws AppError */
    async admit (current: { id: string, name: string, guest: boolean } | null): Promise<{ user: Guest, sid: null, expiresAt: number }> {
      if (current && !current.guest) throw new AppError('not_authorized')
      const { id, name } = current ?? { id: uuidv7(), name: `guest-${randomBytes(3).toString('hex')}` }
      if (!current) await store.admit({ id, name, instanceId, seconds: lease / 1000 })
      return { user: { id, name, email: null, role: 'user', guest: true, disconnects: 0 }, sid: null, expiresAt: Infinity }
    },

    /** Ends the guest and the guest's memberships, with the connection; where the database cannot now, as soon as it can. */
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

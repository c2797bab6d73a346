import { randomBytes } from 'node:crypto'
import { AppError } from '../errors.ts'
import type { MembershipStore } from '../store/memberships.ts'
import type { Users } from '../store/users.ts'

export type Guests = ReturnType<typeof createGuests>

interface Guest { id: string, name: string, email: null, role: 'user', guest: true }

/** Users for as long as one connection lasts, where authentication is off [P16]. */
export function createGuests ({ users, memberships }: { users: Users, memberships: MembershipStore }) {
  return {
    /** `current`: who the connection speaks for already. A guest stays who he is; a user does not become one. @throws AppError */
    async admit (current: { id: string, name: string, guest: boolean } | null): Promise<{ user: Guest, sid: null, expiresAt: number }> {
      if (current && !current.guest) throw new AppError('not_authorized')
      const { id, name } = current ?? await users.createGuest(`guest-${randomBytes(3).toString('hex')}`)
      return { user: { id, name, email: null, role: 'user', guest: true }, sid: null, expiresAt: Infinity }
    },

    /** Ends the guest and his memberships, with his connection. */
    end: (id: string): Promise<void> => memberships.endGuest(id)
  }
}

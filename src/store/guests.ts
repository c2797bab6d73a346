import type { PrismaClient } from '../generated/prisma/client.ts'
import { withStoreErrors } from './errors.ts'

export type GuestStore = ReturnType<typeof createGuestStore>

/** Stores guests [P16] and the leases of the instances that hold their connections. */
export function createGuestStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Creates a guest of an instance, and renews the instance's lease where less than half of `seconds` is left of it. */
    async admit ({ id, name, instanceId, seconds }: { id: string, name: string, instanceId: string, seconds: number }): Promise<void> {
      await prisma.$queryRaw`SELECT 1 FROM parley_admit_guest(${id}::uuid, ${name}, ${instanceId}::uuid, ${seconds}::float8)`
    },

    /** Ends guests and their memberships. */
    async end (ids: string[]): Promise<void> {
      await prisma.$queryRaw`SELECT 1 FROM parley_end_guests(${ids}::uuid[])`
    },

    async renewLease (instanceId: string, seconds: number): Promise<void> {
      await prisma.$queryRaw`SELECT 1 FROM parley_renew_lease(${instanceId}::uuid, ${seconds}::float8)`
    },

    /** Ends up to `most` guests of one instance whose lease has expired. @returns false where no such instance is left to clear up. */
    async endLost (most: number): Promise<boolean> {
      const [row] = await prisma.$queryRaw<[{ more: boolean }]>`SELECT parley_end_lost_guests(${most}::int) AS more`
      return row.more
    }
  })
}

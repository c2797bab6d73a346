import { uuidv7 } from 'uuidv7'
import type { ErrorCode } from '../errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Role } from '../schemas/common.ts'
import type { Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import { accountFields, type Account, type Actor } from './users.ts'

/** An account as an admin sees it. */
export interface ManagedAccount extends Account { disabledAt: Date | null }

/** A membership that ended with something else. */
export interface Ended { channelId: string, channel: string, aclVersion: number }

export type AccountStore = ReturnType<typeof createAccountStore>

/** What admins and the operator do with accounts, and users with their own. */
export function createAccountStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Any account that is not erased. */
    findManaged (id: string): Promise<ManagedAccount | null> {
      return prisma.user.findFirst({ where: { id, email: { not: null } }, select: managedFields })
    },

    /** Accounts by id, beginning after the id `after`, whose email or name contains `query`, in any case. */
    search ({ query, after, limit }: { query: string | undefined, after: string | undefined, limit: number }): Promise<ManagedAccount[]> {
      // Prisma makes a LIKE of it and leaves its wildcards to us.
      const contains = query === undefined ? undefined : { contains: query.replace(/[\\%_]/g, '\\$&'), mode: 'insensitive' as const }
      return prisma.user.findMany({
        where: {
          email: { not: null },
          ...after && { id: { gt: after } },
          ...contains && { OR: [{ email: contains }, { name: contains }] }
        },
        orderBy: { id: 'asc' },
        take: limit,
        select: managedFields
      })
    },

    /** `actor` null: the operator. @returns the memberships that the role no longer allows [P15]. */
    async setRole (actor: Actor | null, targetId: string, role: Role): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_set_role(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${role}::"Role", ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid)`)
    },

    /** `actor` null: the operator. @returns null, or why not. */
    async setDisabled (actor: Actor | null, targetId: string, disabled: boolean): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_set_disabled(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${disabled}, ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid) AS code`
      return row.code
    },

    /** An admin ends an account; what it wrote stays. */
    async erase ({ userId, sid }: Actor, targetId: string): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(${userId}::uuid, ${targetId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /** The same of the user's own account. */
    async eraseSelf ({ userId, sid }: Actor): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(NULL, ${userId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /** Judges and logs what an admin does without changing a row. @returns null, or why not. */
    async logAdminAct ({ userId, sid }: Actor, act: 'announce' | 'disconnect_user', targetId: string | null): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_log_admin_act(${userId}::uuid, ${sid}::uuid, ${act}, ${targetId}::uuid, ${uuidv7()}::uuid) AS code`
      return row.code
    }
  })
}

const managedFields = { ...accountFields, disabledAt: true } as const

interface EndedRow { code: ErrorCode | null, channel_id: string, channel_name: string, acl_version: bigint }

function toEnded (rows: EndedRow[]): Refused | { code: null, ended: Ended[] } {
  if (rows[0] && rows[0].code !== null) return { code: rows[0].code }
  return {
    code: null,
    ended: rows.map(row => ({ channelId: row.channel_id, channel: row.channel_name, aclVersion: Number(row.acl_version) }))
  }
}

import { uuidv7 } from 'uuidv7'
import type { ErrorCode } from '../errors.ts'
import type { PrismaClient } from '../generated/prisma/client.ts'
import type { Role } from '../schemas/common.ts'
import type { Refused } from './channels.ts'
import { withStoreErrors } from './errors.ts'
import { accountFields, type Account, type Actor } from './users.ts'

/** An account as an admin sees it. */
export interface ManagedAccount extends Account { disabledAt: Date | null }

/** A membership that ended because the user's role changed or the account was erased. */
export interface Ended { channelId: string, channelName: string, aclVersion: number }

export type AccountStore = ReturnType<typeof createAccountStore>

/** Manages accounts on behalf of admins and the operator, and lets users erase their own account. */
export function createAccountStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** Finds an account, enabled or disabled; null for guests and erased accounts. */
    findManaged (id: string): Promise<ManagedAccount | null> {
      return prisma.user.findFirst({ where: { id, email: { not: null } }, select: managedFields })
    },

    /** Lists accounts whose email or name contains `query` (case-insensitive), in order of id, after the id `after`. */
    search ({ query, after, limit }: { query: string | undefined, after: string | undefined, limit: number }): Promise<ManagedAccount[]> {
      // Prisma translates `contains` to LIKE and does not escape its wildcards.
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

    /** `actor` is null for the operator. @returns the refusal, or the memberships that ended because the new role forbids them [P15]. */
    async setRole (actor: Actor | null, targetId: string, role: Role): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_set_role(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${role}::"Role", ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid)`)
    },

    /** `actor` is null for the operator. @returns null, or the error code of the refusal. */
    async setDisabled (actor: Actor | null, targetId: string, disabled: boolean): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_set_disabled(${actor?.userId ?? null}::uuid, ${targetId}::uuid, ${disabled}, ${uuidv7()}::uuid,
          ${actor?.sid ?? null}::uuid) AS code`
      return row.code
    },

    /** Erases another user's account on behalf of an admin; its messages stay. */
    async erase ({ userId, sid }: Actor, targetId: string): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(${userId}::uuid, ${targetId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /** Erases the actor's own account; its messages stay. */
    async eraseSelf ({ userId, sid }: Actor): Promise<Refused | { code: null, ended: Ended[] }> {
      return toEnded(await prisma.$queryRaw<EndedRow[]>`
        SELECT * FROM parley_erase_user(NULL, ${userId}::uuid, ${uuidv7()}::uuid, ${sid}::uuid)`)
    },

    /**
     * Checks that the actor is an admin and logs the act; `disconnect_user` also increments the target's `disconnects`.
     * @returns null, or the error code of the refusal.
     */
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
    ended: rows.map(row => ({ channelId: row.channel_id, channelName: row.channel_name, aclVersion: Number(row.acl_version) }))
  }
}

import type { ErrorCode } from '../errors.ts'
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import type { InvitationCode } from '../schemas/invitation-code.ts'
import { withStoreErrors } from './errors.ts'
import type { Actor } from './users.ts'

/** A new invitation code. `lifetime`: seconds from now, by the database's clock. `channels`: names. */
export interface NewCode { id: string, hash: Uint8Array<ArrayBuffer>, uses: number, lifetime: number, channels: string[] }

export type InvitationCodeStore = ReturnType<typeof createInvitationCodeStore>

/** Codes that let people register [P64]. Only hashes of them are stored. */
export function createInvitationCodeStore (prisma: PrismaClient) {
  return withStoreErrors({
    /** @returns null, or the error code of the refusal. */
    async create ({ userId, sid }: Actor, { id, hash, uses, lifetime, channels }: NewCode): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_create_invitation_code(
          ${userId}::uuid, ${sid}::uuid, ${id}::uuid, ${hash}, ${uses}::int, ${lifetime}::int, ${channels}::text[]) AS code`
      return row.code
    },

    /** @returns null, or the error code of the refusal. */
    async revoke ({ userId, sid }: Actor, id: string): Promise<ErrorCode | null> {
      const [row] = await prisma.$queryRaw<[{ code: ErrorCode | null }]>`
        SELECT parley_revoke_invitation_code(${userId}::uuid, ${sid}::uuid, ${id}::uuid) AS code`
      return row.code
    },

    /** Lists codes, the newest first, older than the code `after`. Channels that are deleted are left out. */
    list: (after: string | undefined, limit: number): Promise<InvitationCode[]> =>
      read(after === undefined ? Prisma.sql`true` : Prisma.sql`i.id < ${after}::uuid`, limit),

    async find (id: string): Promise<InvitationCode | null> {
      const [found] = await read(Prisma.sql`i.id = ${id}::uuid`, 1)
      return found ?? null
    },

    /** Checks whether the code can still be used. Only the registration itself takes a use of it. */
    async isUsable (hash: Uint8Array<ArrayBuffer>): Promise<boolean> {
      const [row] = await prisma.$queryRaw<Array<{ usable: boolean }>>`
        SELECT i."usesLeft" > 0 AND i."expiresAt" > clock_timestamp() AS usable FROM "InvitationCode" i WHERE i."codeHash" = ${hash}`
      return row?.usable ?? false
    }
  })

  async function read (condition: Prisma.Sql, limit: number): Promise<InvitationCode[]> {
    const rows = await prisma.$queryRaw<Row[]>`
      SELECT i.id, i.uses, i."usesLeft" AS uses_left, i."expiresAt" AS expires_at, i."createdBy" AS created_by, i."createdAt" AS created_at,
        ARRAY(SELECT c.name FROM "Channel" c WHERE c.id = ANY (i."channelIds") ORDER BY c.name) AS channels
      FROM "InvitationCode" i WHERE ${condition} ORDER BY i.id DESC LIMIT ${limit}`
    return rows.map(row => ({ ...row, expires_at: row.expires_at.toISOString(), created_at: row.created_at.toISOString() }))
  }
}

type Row = Omit<InvitationCode, 'expires_at' | 'created_at'> & { expires_at: Date, created_at: Date }

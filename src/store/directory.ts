import { Prisma, type PrismaClient } from '../generated/prisma/client.ts'
import { NIL } from './channels.ts'
import { withStoreErrors } from './errors.ts'

/** A user whom others may find: an enabled account. */
export interface Listed { id: string, name: string, handle: string, createdAt: Date }

/** A user in the list of a search, which is in order of `part`, `key` and `id`. Users found by name (`n`) come before others (`h`). */
export interface Found extends Listed { part: 'h' | 'n', key: string }

export type DirectoryStore = ReturnType<typeof createDirectoryStore>

/** Finds users for other users [P46]. */
export function createDirectoryStore (prisma: PrismaClient) {
  return withStoreErrors({
    /**
     * Lists users whose name or handle begins with `query`, without regard to case and accents, after the place `after`. Both parts read an
     * index in order. The second one passes over users whom the first one has listed, so it reads no more rows than were listed before.
     * Prefixes are ranges of the index, so no character of `query` has a special meaning.
     */
    async search (query: string, after: Pick<Found, 'part' | 'key' | 'id'> | undefined, limit: number): Promise<Found[]> {
      const { part, key, id } = after ?? { part: 'n', key: '', id: NIL }
      return await prisma.$queryRaw<Found[]>`
        WITH q AS MATERIALIZED (SELECT p AS low, p || chr(1114111) AS high FROM parley_plain(${query}) p), named AS (
          SELECT ${columns}, u."searchName" AS key FROM "User" u
          WHERE u."searchName" >= (SELECT low FROM q) AND u."searchName" < (SELECT high FROM q) AND u."disabledAt" IS NULL
            AND ${part === 'n'} AND (u."searchName", u.id) > (${key}, ${id}::uuid)
          ORDER BY u."searchName", u.id LIMIT ${limit}
        ), other AS (
          SELECT ${columns}, u.handle AS key FROM "User" u
          WHERE u.handle >= (SELECT low FROM q) AND u.handle < (SELECT high FROM q) AND u."disabledAt" IS NULL
            AND u.handle > ${part === 'h' ? key : ''} AND NOT starts_with(u."searchName", (SELECT low FROM q))
          ORDER BY u.handle LIMIT ${limit} - (SELECT count(*) FROM named)
        )
        SELECT * FROM (SELECT 'n' AS part, n.* FROM named n UNION ALL SELECT 'h', o.* FROM other o) found ORDER BY part DESC, key, id`
    },

    /** Finds a user by id; null for guests, disabled and erased accounts. */
    async find (id: string): Promise<Listed | null> {
      const [row] = await prisma.$queryRaw<Listed[]>`
        SELECT ${columns} FROM "User" u WHERE u.id = ${id}::uuid AND u.email IS NOT NULL AND u."disabledAt" IS NULL`
      return row ?? null
    }
  })
}

const columns = Prisma.sql`u.id, u.name, u.handle, u."createdAt"`

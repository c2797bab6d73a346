import { AppError } from '../errors.ts'
import { Prisma } from '../generated/prisma/client.ts'
import type { Database } from './client.ts'
import { withStoreErrors } from './errors.ts'
import { exportSections, type ExportSection } from './export-sections.ts'
import type { Actor } from './users.ts'

/** Rows of a section as they are exported. `next` is the key after which the next page begins; null after the last page. */
export interface ExportPage { rows: Array<Record<string, unknown>>, next: string | null }

export type ExportStore = ReturnType<typeof createExportStore>

/** Reads what is kept of a person [P71], page by page. Between two pages it holds neither a connection nor a transaction. */
export function createExportStore ({ prisma }: Pick<Database, 'prisma'>) {
  const calls = withStoreErrors({
    /**
     * Reads the page of a section that follows the key `after`, from the beginning where that is null.
     * @throws AppError `authentication_failed` if the user is gone or disabled, or their login has ended.
     */
    async page ({ read, toRow = row => row }: ExportSection, { userId, sid }: Actor, after: string | null): Promise<ExportPage> {
      const rows = await prisma.$queryRaw<PageRow[]>`
        SELECT u.id IS NOT NULL AS live, x.* FROM parley_actor(${userId}::uuid, ${sid}::uuid) u
        LEFT JOIN LATERAL (${read(Prisma.sql`u.id`, after)}) x ON u.id IS NOT NULL ORDER BY x.key COLLATE "C"`
      if (!rows[0]!.live) throw new AppError('authentication_failed')
      return {
        rows: rows.filter(({ mine }) => mine).map(({ live, key, mine, ...row }) => toRow(row)),
        next: rows.at(-1)!.key
      }
    }
  })
  return { sections: exportSections, ...calls }
}

type PageRow = Record<string, unknown> & { live: boolean, key: string | null, mine: boolean | null }

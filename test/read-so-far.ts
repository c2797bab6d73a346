import type { Database } from '../src/store/client.ts'

/** The number of rows and index entries of all tables that have been read so far. */
export async function readSoFar ({ prisma }: Pick<Database, 'prisma'>): Promise<number> {
  await prisma.$executeRaw`SELECT pg_stat_force_next_flush()`
  const [row] = await prisma.$queryRaw<[{ read: number }]>`
    SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)::int + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)::int AS read`
  return row.read
}

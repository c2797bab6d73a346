import { createHash } from 'node:crypto'
import type { Query } from '../client.ts'

/** Bytes of each row's hash that are added up. Numbers of six bytes are exact in JavaScript. */
const BYTES = 6

/** A copy compares this of each table before and after: how many rows it has, and a sum of hashes over all of their columns. */
export interface Digest { count: number, sum: bigint }

/** Adds rows, as JSON texts, to the digest of their table. */
export function addRows (digest: Digest, rows: string[]): void {
  for (const row of rows) digest.sum += BigInt(createHash('sha256').update(row).digest().readUIntBE(0, BYTES))
  digest.count += rows.length
}

/** Computes the digest of a table in its database, from the same JSON texts. */
export async function readDigest (query: Query, table: string): Promise<Digest> {
  const [row] = await query<{ count: string, sum: string }>(`
    SELECT count(*)::text AS count, coalesce(sum(
      ('x' || encode(substring(sha256(convert_to(row_to_json(t)::text, 'UTF8')) FOR ${BYTES}), 'hex'))::bit(${8 * BYTES})::bigint
    ), 0)::text AS sum
    FROM "${table}" t`, [])
  return { count: Number(row!.count), sum: BigInt(row!.sum) }
}

import type { Database } from '../../src/store/client.ts'

/** Matches the summary that `npm run prune` prints. */
export const summary = (verb: string, messages: number, changes: number, log: number, users: number, reports = 0) =>
  new RegExp(`^${verb} what is older than \\S+Z: ${messages} messages, ${changes} edits and deletions, ` +
    `${log} lines of the moderation log, ${reports} reports, ${users} guests and erased accounts\n$`)

/** Makes the entries of a channel whose `seq` is at most `upTo` a hundred days older. */
export async function age ({ prisma }: Database, channelId: string, upTo: number): Promise<void> {
  for (const table of ['Message', 'MessageChange', 'Reaction']) {
    await prisma.$executeRawUnsafe(
      `UPDATE "${table}" SET "createdAt" = "createdAt" - interval '100 days' WHERE "channelId" = '${channelId}' AND seq <= ${upTo}`)
  }
}

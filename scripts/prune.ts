import { parseArgs } from 'node:util'
import { createPruning, type OldRest, type Pruning } from '../src/store/pruning.ts'
import { runCommand, UsageError, withDatabase } from './command.ts'

const USAGE = `usage: npm run prune -- --older-than AGE [--dry-run]
  AGE is a number of days or hours: 90d, 12h. The command removes messages, edits and deletions that are older than AGE, and
  lines of the moderation log, reports of messages and the rows of guests and erased accounts that are older. Channels,
  accounts, bans and mutes stay, and so does the newest entry of each channel; the numbering of messages continues.
  --dry-run   removes nothing, and prints how much of each kind would be removed`

/** Seconds in each unit of AGE. */
const UNITS: Record<string, number> = { d: 86_400, h: 3600 }
/** Rows per statement. A statement of this size takes milliseconds, so that the server never waits long for it. */
const BATCH = 1000

await runCommand(main)

/** `npm run prune -- --older-than 90d` removes old rows while the server runs; with the embedded database the server has to be stopped. */
async function main (args: string[]): Promise<void> {
  const { help, dryRun, seconds } = parse(args)
  if (help) return console.log(USAGE)
  await withDatabase(async database => {
    const pruning = createPruning(database.prisma)
    const cutoff = await pruning.ago(seconds)
    const { messages, changes } = await pruneChannels(pruning, cutoff, dryRun)
    const { log, reports, users } = dryRun ? await pruning.oldRest(cutoff) : await pruneRest(pruning, cutoff)
    if (!dryRun && database.kind === 'pglite') await pruning.vacuum()
    console.log(`${dryRun ? 'would remove' : 'removed'} what is older than ${cutoff.toISOString()}: ` +
      `${messages} messages, ${changes} edits and deletions, ${log} lines of the moderation log, ${reports} reports, ` +
      `${users} guests and erased accounts`)
  })
}

/** @throws UsageError */
function parse (args: string[]): { help: boolean, dryRun: boolean, seconds: number } {
  const { help = false, 'dry-run': dryRun = false, 'older-than': age = '' } = options(args)
  const [, count, unit] = /^([1-9]\d{0,4})([dh])$/.exec(age) ?? []
  if (count === undefined && !help) throw new UsageError('--older-than needs a number of days or hours: 90d, 12h (--help says more)')
  return { help, dryRun, seconds: Number(count) * (UNITS[unit ?? ''] ?? 0) }
}

function options (args: string[]) {
  try {
    return parseArgs({
      args, options: { 'older-than': { type: 'string' }, 'dry-run': { type: 'boolean' }, help: { type: 'boolean' } }
    }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function pruneChannels (pruning: Pruning, cutoff: Date, dryRun: boolean): Promise<{ messages: number, changes: number }> {
  const total = { messages: 0, changes: 0 }
  let ids: string[] = []
  while ((ids = await pruning.channels(ids.at(-1))).length > 0) {
    for (const id of ids) {
      let done = 0n
      for (;;) {
        const old = await pruning.oldEntries(id, cutoff, done, BATCH)
        if (!old) break
        if (!dryRun) await pruning.deleteEntries(id, old.upTo)
        total.messages += old.messages
        total.changes += old.changes
        done = old.upTo
      }
    }
  }
  return total
}

/** Has to run after the messages are pruned: of the users that it removes, only newest entries of channels may be left [P37]. */
async function pruneRest (pruning: Pruning, cutoff: Date): Promise<OldRest> {
  return {
    log: await untilNothing(() => pruning.deleteLog(cutoff, BATCH)),
    reports: await untilNothing(() => pruning.deleteReports(cutoff, BATCH)),
    users: await untilNothing(() => pruning.deleteUsers(cutoff, BATCH))
  }
}

async function untilNothing (remove: () => Promise<number>): Promise<number> {
  let total = 0
  for (let removed = await remove(); removed > 0; removed = await remove()) total += removed
  return total
}

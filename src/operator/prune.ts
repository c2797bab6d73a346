import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { OldRest, Pruning } from '../store/pruning.ts'
import { UsageError, type OperatorCommand } from './command.ts'

export const PRUNE_USAGE = `usage: npm run prune -- --older-than AGE [--dry-run]
  AGE is a number of days or hours: 90d, 12h. The command removes messages, edits and deletions that are older than AGE, and
  lines of the moderation log, reports of messages and the rows of guests and erased accounts that are older. Channels,
  accounts, bans and mutes stay, and so does the newest entry of each channel; the numbering of messages continues.
  --dry-run   removes nothing, and prints how much of each kind would be removed`

/** Seconds in each unit of AGE. */
const UNITS: Record<string, number> = { d: 86_400, h: 3600 }
/** Rows per statement. A statement of this size takes milliseconds, so that the server never waits long for it. */
const BATCH = { postgresql: 1000, pglite: 100 }

/** The needs of one run. It awaits `proceed` before each batch; the promise rejects when the run has to stop. */
interface Run { pruning: Pruning, cutoff: Date, dryRun: boolean, batch: number, proceed (): Promise<void> }

/** `npm run prune -- --older-than 90d` removes old rows while the server runs. */
export const prune: OperatorCommand = args => {
  const { dryRun, seconds } = parse(args)
  return async ({ stores: { pruning }, kind, print, signal }) => {
    const cutoff = await pruning.ago(seconds)
    const run = { pruning, cutoff, dryRun, batch: BATCH[kind], proceed }
    const { messages, changes } = await pruneChannels(run)
    const { log, reports, users } = dryRun ? await pruning.oldRest(cutoff) : await pruneRest(run)
    if (!dryRun && kind === 'pglite') {
      for (const table of await pruning.changedTables()) {
        await proceed()
        await pruning.vacuum(table)
      }
    }
    await print(`${dryRun ? 'would remove' : 'removed'} what is older than ${cutoff.toISOString()}: ` +
      `${messages} messages, ${changes} edits and deletions, ${log} lines of the moderation log, ${reports} reports, ` +
      `${users} guests and erased accounts`)

    async function proceed (): Promise<void> {
      // The embedded database answers within one turn of the event loop. Without this, the server would do nothing else until the end.
      await nextTurn()
      signal.throwIfAborted()
    }
  }
}

/** @throws UsageError */
function parse (args: string[]): { dryRun: boolean, seconds: number } {
  const { 'dry-run': dryRun = false, 'older-than': age = '' } = options(args)
  const [, count, unit] = /^([1-9]\d{0,4})([dh])$/.exec(age) ?? []
  if (count === undefined) throw new UsageError('--older-than needs a number of days or hours: 90d, 12h (--help says more)')
  return { dryRun, seconds: Number(count) * (UNITS[unit ?? ''] ?? 0) }
}

function options (args: string[]) {
  try {
    return parseArgs({ args, options: { 'older-than': { type: 'string' }, 'dry-run': { type: 'boolean' } } }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

async function pruneChannels ({ pruning, cutoff, dryRun, batch, proceed }: Run): Promise<{ messages: number, changes: number }> {
  const total = { messages: 0, changes: 0 }
  let ids: string[] = []
  while ((ids = await pruning.channels(ids.at(-1))).length > 0) {
    for (const id of ids) {
      let done = 0n
      for (;;) {
        await proceed()
        const old = await pruning.oldEntries(id, cutoff, done, batch)
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
async function pruneRest ({ pruning, cutoff, batch, proceed }: Run): Promise<OldRest> {
  async function untilNothing (remove: () => Promise<number>): Promise<number> {
    let total = 0
    for (let removed = await remove(); removed > 0; removed = await remove()) {
      total += removed
      await proceed()
    }
    return total
  }
  return {
    log: await untilNothing(() => pruning.deleteLog(cutoff, batch)),
    reports: await untilNothing(() => pruning.deleteReports(cutoff, batch)),
    users: await untilNothing(() => pruning.deleteUsers(cutoff, batch))
  }
}

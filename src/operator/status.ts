import type { MigrationStatus } from '../store/migrate.ts'
import { UsageError, type OperatorCommand } from './command.ts'

/** `npm run db:status` lists the migrations by which the database differs from those of this release. */
export const status: OperatorCommand = () => async ({ migrationStatus, print }) => {
  const found = await migrationStatus()
  for (const state of ['pending', 'unknown', 'failed', 'edited'] as const) {
    if (found[state].length > 0) await print(`${state.padEnd(8)} ${found[state].join(', ')}`)
  }
  requireMigrated(found)
  await print('up to date')
}

/** @throws UsageError if this release may not use the database, or if migrations are missing. */
export function requireMigrated ({ refusal, pending }: MigrationStatus): void {
  if (refusal !== undefined) throw new UsageError(refusal)
  if (pending.length > 0) {
    throw new UsageError('the database is new or old: start the server anew, or stop it and run npm run db:migrate')
  }
}

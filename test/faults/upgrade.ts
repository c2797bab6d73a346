import { randomUUID } from 'node:crypto'
import { root } from '../../scripts/root.ts'
import { emptyDatabase } from '../databases/conversation.ts'
import { eventually } from '../eventually.ts'
import { inParallel } from './cluster.ts'
import { createLedger, query } from './ledger.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import type { Member } from './people.ts'
import { startProcess } from './process.ts'
import { openRecorder, type Recorder } from './recorder.ts'
import { buildRelease, findRelease } from './release.ts'
import { DRAIN_MS, end } from './restarts.ts'
import { keepConnected } from './return.ts'
import type { Stage } from './scope.ts'

const channels = Array.from({ length: 8 }, (_, i) => `c${i}`)
const WRITERS = 4
/** Each stage lasts for as many messages as the load sends in so many seconds. */
const STAGE_SECONDS = 2
/** Milliseconds after which a state that takes long on a busy machine counts as missed. */
const PATIENCE = 60_000

/**
 * Two instances of the last release are replaced by this one, one after the other, on one database and under load: the first new instance
 * applies the migrations while the other old one serves, and then both releases serve side by side. No acked entry is lost or doubled,
 * and every client on either instance has received all of them in order.
 */
export async function upgrade (stage: Stage, { clients: count, rate }: { clients: number, rate: number }): Promise<Outcome> {
  const release = findRelease()
  if (!release) return { problems: [], figures: {}, skipped: 'git has no earlier release here: there is no tag, and the clone is shallow' }
  const folder = await buildRelease(release)
  const report = createReport()
  const databaseUrl = await emptyDatabase(stage)
  const env = {
    DATABASE_URL: databaseUrl, REDIS_URL: process.env.TEST_REDIS_URL!, REDIS_PREFIX: `upgrade-${randomUUID()}:`,
    LIMITS_ENABLED: 'false', CHANNELS_MAX_USERS_PER_CHANNEL: '0', WEB_ENABLED: 'false'
  }
  const start = (folder: string, port = 0) => startProcess(stage, { folder, env: { ...env, PORT: String(port) } })

  const old = [await start(folder), await start(folder)]
  report.figure('migrations_before', await countMigrations(databaseUrl))
  const ledger = createLedger(databaseUrl, report)
  const people = await register(old[0]!.port)
  const clients = await inParallel(Array.from({ length: count }, (_, i) => i), i =>
    openRecorder(stage, old[i % 2]!.port, people[i % WRITERS]!, i < WRITERS ? channels : [channels[i % channels.length]!]))
  const at = (port: number): Recorder[] => clients.filter(client => client.port === port)
  const kept = old.map(({ port }) => keepConnected(at(port), port))
  const load = startLoad(ledger, { writers: clients.slice(0, WRITERS), channels, rate })
  const underLoad = async (): Promise<void> => {
    await eventually(() => clients.every(({ ready }) => ready), PATIENCE)
    const target = ledger.messages + STAGE_SECONDS * rate
    await eventually(() => ledger.messages >= target, PATIENCE)
  }

  await underLoad()
  for (const [i, instance] of old.entries()) {
    await end(instance, report, DRAIN_MS, `exit_${i + 1}_ms`)
    const next = await start(root, instance.port)
    await eventually(async () => (await fetch(`http://127.0.0.1:${next.port}/readyz`)).ok, PATIENCE)
    await underLoad()
  }
  for (const group of kept) await group.stop(PATIENCE)
  await load.stop()
  report.figure('migrations_after', await countMigrations(databaseUrl))
  report.figure('returns', kept.reduce((sum, { returns }) => sum + returns, 0))
  report.figure('longest_absence_ms', Math.max(...kept.map(({ longestAbsence }) => longestAbsence)))
  await ledger.settle(clients, PATIENCE)
  return report.outcome()
}

async function countMigrations (databaseUrl: string): Promise<number> {
  const rows = await query(databaseUrl, 'SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL')
  return rows.length
}

/** Registers people over REST, because only the release itself knows its tables. */
function register (port: number): Promise<Member[]> {
  return Promise.all(Array.from({ length: WRITERS }, async (_, i) => {
    const name = `person-${i}`
    const response = await fetch(`http://127.0.0.1:${port}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, email: `${name}@example.org`, password: 'correct horse' })
    })
    const { user, access_token: token } = await response.json() as { user: { id: string }, access_token: string }
    return { id: user.id, name, token }
  }))
}

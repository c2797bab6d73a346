import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDatabase } from '../../scripts/postgres.ts'
import { startBlackhole } from '../blackhole.ts'
import { eventually } from '../eventually.ts'
import { startPgBouncer } from '../pgbouncer.ts'
import { startCluster } from './cluster.ts'
import { query } from './ledger.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome } from './outcome.ts'
import { startOwnDatabase } from './own-database.ts'
import type { Stage } from './scope.ts'

/** Messages per second, and seconds that the fault lasts where it lasts. */
interface DatabaseFault { rate: number, seconds: number }

/** Milliseconds within which every send is answered, an instance says that it is not ready, and service resumes after the fault. */
const ANSWERED = 6000
const NOTICED = 10_000
const RESUMED = 10_000

/** G19. All connections to PostgreSQL swallow everything and stay open. New ones work. */
export async function databaseHalfOpen (stage: Stage, { rate }: DatabaseFault): Promise<Outcome> {
  const database = await startOwnDatabase(stage)
  const address = await startBlackhole(stage, database.port)
  return underLoad(stage, `postgresql://parley@127.0.0.1:${address.port}/postgres`, rate, {
    isOutage: false,
    async fail () { for (const connection of address.open) connection.swallow('both') }
  })
}

/** G19. PostgreSQL's primary dies. Its address leads to the standby, which is promoted `seconds` later. Replication is synchronous. */
export async function databaseFailover (stage: Stage, { rate, seconds }: DatabaseFault): Promise<Outcome> {
  const primary = await startOwnDatabase(stage)
  const standby = await startDatabase({ standbyOf: primary.port })
  stage.teardown(standby.stop)
  await query(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'")
  await query(primary.url, 'SELECT pg_reload_conf()')
  const address = await startBlackhole(stage, primary.port)
  return underLoad(stage, `postgresql://parley@127.0.0.1:${address.port}/postgres`, rate, {
    isOutage: true,
    async fail () {
      await primary.stop()
      address.leadTo(standby.port)
      await query(standby.url, "ALTER SYSTEM SET synchronous_standby_names = ''")
      await query(standby.url, 'SELECT pg_reload_conf()')
      await sleep(seconds * 1000)
    },
    async heal () { await query(standby.url, 'SELECT pg_promote()') }
  })
}

/** G19. The server refuses writes for `seconds`, as a managed one does whose disk is full, and keeps all its connections. */
export async function databaseReadOnly (stage: Stage, { rate, seconds }: DatabaseFault): Promise<Outcome> {
  const database = await startOwnDatabase(stage)
  const writable = `${database.url}?options=-c%20default_transaction_read_only%3Doff`
  const set = async (value: string): Promise<void> => {
    await query(writable, `ALTER SYSTEM SET default_transaction_read_only = ${value}`)
    await query(writable, 'SELECT pg_reload_conf()')
  }
  return underLoad(stage, database.url, rate, {
    isOutage: true,
    async fail () {
      await set('on')
      await sleep(seconds * 1000)
    },
    heal: () => set('off')
  })
}

/** G19. PostgreSQL restarts behind PgBouncer in transaction mode, which keeps the connections of its clients. */
export async function databasePooled (stage: Stage, { rate, seconds }: DatabaseFault): Promise<Outcome> {
  const database = await startOwnDatabase(stage)
  const url = await startPgBouncer(stage, database.url, 'transaction', { server_login_retry: '1' })
  return underLoad(stage, url, rate, { isOutage: true, fail: () => database.restart(() => sleep(seconds * 1000)) })
}

interface Fault {
  /** Whether the database cannot be used during the fault, so that instances are not ready. */
  isOutage: boolean
  /** Resolves when the fault is over, or only `heal` is missing. */
  fail (): Promise<void>
  heal? (): Promise<void>
}

/** Two instances carry a load over the fault: every send is answered in time, nothing acked is lost, and service resumes by itself. */
async function underLoad (stage: Stage, databaseUrl: string, rate: number, { isOutage, fail, heal }: Fault): Promise<Outcome> {
  const report = createReport()
  const cluster = await startCluster(stage, report, { databaseUrl })
  const { ledger, instances } = cluster
  const channels = ['one', 'two']
  const clients = await cluster.enter(4, channels)
  const load = startLoad(ledger, { writers: clients, channels, rate })
  await sleep(1000)
  const before = ledger.acked
  const readiness = watchReadiness(instances[0].port)
  const began = performance.now()
  await fail()
  await heal?.()
  const over = isOutage ? performance.now() : began

  const probe = `probe-${randomUUID()}`
  await eventually(async () => (await clients[0]!.send('one', probe, probe)).code === null, 2 * RESUMED)
  report.atMost('resumed_after_ms', performance.now() - over, RESUMED)
  await eventually(async () => await readinessOf(instances[0].port) === 200, RESUMED)
  const unready = await readiness.stop()
  if (isOutage) report.atMost('unready_after_ms', unready - began, NOTICED)
  await sleep(1000)
  await load.stop()
  await ledger.settle(clients, 10_000)

  report.atMost('slowest_answer_ms', ledger.slowest, ANSWERED)
  report.equal('other_refusals', Object.keys(ledger.refusals).filter(code => !['unavailable', 'busy'].includes(code)).length, 0)
  report.figure('unavailable', ledger.refusals.unavailable ?? 0)
  if (ledger.acked <= before) report.problem('nothing was acked after the fault')
  report.equal('still_open', clients.filter(({ open }) => open).length, clients.length)
  return report.outcome()
}

/** Asks an instance until `stop`, which resolves with the time of the first answer that it is not ready, or NaN. */
function watchReadiness (port: number) {
  let unready = NaN
  let stopped = false
  const asking = (async () => {
    while (!stopped) {
      if (Number.isNaN(unready) && await readinessOf(port) === 503) unready = performance.now()
      await sleep(100)
    }
  })()
  return {
    async stop (): Promise<number> {
      stopped = true
      await asking
      return unready
    }
  }
}

async function readinessOf (port: number): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status
}

// `npm run faults [-- NAME … --tenth]` checks the guarantees of Parley under faults, at full scale and with a process for each instance.
// It prints one line for each case and exits with 1 if one fails. A whole run writes docs/faults.json. `--tenth`: smaller and shorter.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { badFrames } from './bad-frames.ts'
import { bursts } from './bursts.ts'
import { busLoss } from './bus-loss.ts'
import { clientLedger } from './client-ledger.ts'
import { leaks, storm } from './crowds.ts'
import { databaseOutages } from './database-outage.ts'
import { diskFull } from './disk-full.ts'
import { frozenDatabase } from './frozen-database.ts'
import { deathAfterCommit, frozenInstance, ghosts, lostGuests, stalledLoop, wrongClocks } from './instance-death.ts'
import { joins } from './joins.ts'
import { databaseFailover, databaseHalfOpen, databasePooled, databaseReadOnly } from './managed-database.ts'
import { moderationBinds } from './moderation-binds.ts'
import { idempotence, oneOrder } from './order.ts'
import type { Outcome } from './outcome.ts'
import { redisEviction } from './redis-eviction.ts'
import { redisFailover, redisHalfOpen } from './redis-failover.ts'
import { clusterFailover, clusterMoves, sentinelFailover } from './redis-nodes.ts'
import { redisOutage } from './redis-outage.ts'
import { restoredDatabase } from './restored-database.ts'
import { drain, drainWithoutDatabase, openSockets, rollingRestart } from './restarts.ts'
import { createStage, type Stage } from './scope.ts'
import { frozenClient, slowReader } from './slow-clients.ts'
import { upgrade } from './upgrade.ts'
import { eventually } from '../eventually.ts'
import { root } from '../../scripts/root.ts'
import { PARTS } from '../../src/redis-parts.ts'
import { startServices } from '../../scripts/services.ts'

interface Run { name: string, what: string, run (stage: Stage): Promise<Outcome> }
interface Result extends Outcome { name: string, what: string, passed: boolean, seconds: number }

const args = process.argv.slice(2)
const tenth = args.includes('--tenth')
const chosen = args.filter(arg => !arg.startsWith('--'))
/** With `--tenth`, `many` returns a tenth of a count and `long` at most 4 seconds. */
const many = (full: number): number => tenth ? Math.ceil(full / 10) : full
const long = (full: number): number => tenth ? Math.min(full, 4) : full

const redisLoad = { rate: many(500), channels: 10, before: long(5), outage: long(10), after: long(10) }

const runs: Run[] = [
  { name: 'G1', what: 'Redis killed for 10 s under 500 messages/s', run: stage => redisOutage(stage, { how: 'killed', ...redisLoad }) },
  {
    name: 'G1-stopped', what: 'Redis stopped for 30 s under 500 messages/s',
    run: stage => redisOutage(stage, { how: 'stopped', ...redisLoad, outage: long(30) })
  },
  {
    name: 'G1-absent', what: 'Redis absent at the start and available 10 s later',
    run: stage => redisOutage(stage, { how: 'absent at the start', ...redisLoad })
  },
  { name: 'G2', what: '1 % of bus messages lost', run: stage => busLoss(stage, { share: 0.01, rate: many(500), seconds: long(20) }) },
  { name: 'G3', what: '1,000 joins under 200 messages/s', run: stage => joins(stage, { count: many(1000), rate: 200 }) },
  { name: 'G4', what: '2 instances × 8 writers, 20,000 messages', run: stage => oneOrder(stage, { writers: 8, messages: many(20_000) }) },
  { name: 'G5', what: '1,000 pairs of one client id at two instances', run: stage => idempotence(stage, { pairs: many(1000) }) },
  {
    name: 'G6', what: '1 stalled of 100 readers at 1 MB/s',
    run: stage => slowReader(stage, { readers: many(100), bytes: 1_000_000, seconds: long(10) })
  },
  {
    name: 'G7', what: 'a client frozen without FIN',
    run: stage => frozenClient(stage, { env: tenth ? { PERFORMANCE_HEARTBEAT_INTERVAL: '3', PERFORMANCE_PONG_TIMEOUT: '1' } : {} })
  },
  { name: 'G8', what: 'bad frames beside a pair of connections', run: badFrames },
  { name: 'G9', what: 'an instance with 500 users killed', run: stage => ghosts(stage, { users: many(500) }) },
  {
    name: 'G9-guests', what: 'an instance with 100 guests in a capped channel killed',
    run: stage => lostGuests(stage, { guests: many(100) })
  },
  {
    name: 'G10', what: 'SIGTERM to an instance with 2,000 clients under 200 messages/s',
    run: stage => drain(stage, { clients: many(2000), rate: 200 })
  },
  {
    name: 'G10-database', what: 'SIGTERM while the database and a client are silent',
    run: stage => drainWithoutDatabase(stage, { timeout: 10 })
  },
  {
    name: 'G10-rolling', what: 'two instances behind nginx replaced, one after the other, under 200 messages/s',
    run: stage => rollingRestart(stage, { clients: many(500), rate: 200, reads: 50 })
  },
  {
    name: 'G10-upgrade', what: 'two instances of the last release replaced by this one, one after the other, under 200 messages/s',
    run: stage => upgrade(stage, { clients: many(200), rate: many(200) })
  },
  { name: 'G10-sockets', what: 'SIGTERM to an idle server while seven kinds of connections stay open', run: openSockets },
  { name: 'G11', what: '2,000 clients dropped at once', run: stage => storm(stage, { clients: many(2000), spread: long(10) * 1000 }) },
  {
    name: 'G13', what: 'bans while their targets send on another instance, Redis dead',
    run: stage => moderationBinds(stage, { rounds: many(20), rate: 100 })
  },
  {
    name: 'G14', what: '50,000 connections come and go',
    run: stage => leaks(stage, { connections: many(50_000), warmUp: many(10_000) })
  },
  {
    name: 'G16-restarted', what: 'PostgreSQL restarted',
    run: stage => databaseOutages(stage, { outages: [{ how: 'restarted', seconds: 2 }], rate: 500 })
  },
  {
    name: 'G16-stopped', what: 'PostgreSQL stopped for 10 s',
    run: stage => databaseOutages(stage, { outages: [{ how: 'stopped', seconds: 10 }], rate: 500 })
  },
  {
    name: 'G17', what: '20 clients × 4 channels through cuts, stalls, restarts, kills, outages and tokens of 5 s',
    run: stage => clientLedger(stage, { clients: tenth ? 5 : 20, channels: 4, pause: 5000, seconds: long(8) })
  },
  {
    name: 'G18', what: 'a database restored from a backup while 20 clients know what came after it',
    run: stage => restoredDatabase(stage, { clients: many(20) })
  },
  {
    name: 'G19-database-halfopen', what: 'all connections to PostgreSQL half-open',
    run: stage => databaseHalfOpen(stage, { rate: many(500), seconds: 0 })
  },
  {
    name: 'G19-database-failover', what: "PostgreSQL's primary dies, its address leads to a standby that is promoted 5 s later",
    run: stage => databaseFailover(stage, { rate: many(500), seconds: 5 })
  },
  {
    name: 'G19-database-readonly', what: 'PostgreSQL read-only for 5 s',
    run: stage => databaseReadOnly(stage, { rate: many(500), seconds: 5 })
  },
  {
    name: 'G19-database-pooled', what: 'PostgreSQL restarted behind PgBouncer in transaction mode',
    run: stage => databasePooled(stage, { rate: many(500), seconds: 2 })
  },
  {
    name: 'G19-redis-eviction', what: '2 instances with 100 users while Redis evicts keys, then loses all keys of presence',
    run: stage => redisEviction(stage, { users: many(100) })
  },
  {
    name: 'G19-redis-halfopen', what: '9 of 10 publishing connections swallow everything, under 500 messages/s',
    run: stage => redisHalfOpen(stage, { rate: many(500), channels: 10, before: long(5), after: tenth ? 8 : 25 })
  },
  {
    name: 'G19-redis-failover', what: 'Redis fails over and only the old master can be reached for 5 s, under 500 messages/s',
    run: stage => redisFailover(stage, { rate: many(500), channels: 10, before: long(5), after: tenth ? 8 : 25, stale: tenth ? 2 : 5 })
  },
  {
    name: 'G19-redis-sentinel', what: 'the master dies and three sentinels promote its replica, under 500 messages/s',
    run: stage => sentinelFailover(stage, { rate: many(500), channels: 10, before: long(5), after: tenth ? 10 : 25 })
  },
  {
    name: 'G19-redis-cluster', what: 'one of three masters of Redis Cluster dies and its replica takes over, under 500 messages/s',
    run: stage => clusterFailover(stage, { rate: many(500), channels: 20, before: long(5), after: tenth ? 10 : 25 })
  },
  {
    name: 'G19-redis-slots', what: '24 slots of Redis Cluster that are in use move to other nodes, under 500 messages/s',
    run: stage => clusterMoves(stage, { rate: many(500), channels: 20, before: long(5), after: tenth ? 8 : 25, moves: PARTS })
  },
  { name: 'G22', what: 'bursts of messages at the default limits', run: stage => bursts(stage, { rounds: many(10), seconds: long(10) }) },
  {
    name: 'G22-frozen', what: '90 connections of one account send the largest frames while PostgreSQL stands still for 8 s, heap 512 MB',
    run: stage => frozenDatabase(stage, { connections: 90, seconds: long(8), limits: true })
  },
  {
    name: 'G22-frozen-unlimited', what: 'the same as G22-frozen, without limits',
    run: stage => frozenDatabase(stage, { connections: 90, seconds: long(8), limits: false })
  },
  {
    name: 'disk-full', what: "PostgreSQL's disk full for 10 s under 50 messages/s",
    run: stage => diskFull(stage, { rate: 50, seconds: long(10) })
  },
  {
    name: 'death-unacked', what: 'killed between commit and publication',
    run: stage => deathAfterCommit(stage, { acked: false, at: 100 })
  },
  { name: 'death-acked', what: 'killed between ack and publication', run: stage => deathAfterCommit(stage, { acked: true, at: 100 }) },
  {
    name: 'frozen', what: 'an instance stopped for 2 minutes',
    run: stage => frozenInstance(stage, { seconds: tenth ? 6 : 120, rate: 20 })
  },
  { name: 'stalled', what: 'an event loop stalled for 15 s', run: stage => stalledLoop(stage, { seconds: 15 }) },
  {
    name: 'clock-ahead', what: 'a wall clock an hour ahead',
    run: stage => wrongClocks(stage, { offsets: [3_600_000, undefined], messages: 1000 })
  },
  {
    name: 'clock-behind', what: 'a wall clock an hour behind',
    run: stage => wrongClocks(stage, { offsets: [-3_600_000, undefined], messages: 1000 })
  }
]

const unknown = chosen.filter(name => !runs.some(run => run.name === name))
if (unknown.length > 0) {
  console.error(`parley: unknown ${unknown.join(', ')}; known are ${runs.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}

const services = await startServices()
const results: Result[] = []
try {
  process.env.TEST_DATABASE_URL = services.postgresUrl
  process.env.TEST_REDIS_URL = services.redisUrl
  await makeTemplate(services.postgresUrl)
  for (const run of runs) {
    if (chosen.length > 0 && !chosen.includes(run.name)) continue
    const result = await carryOut(run)
    results.push(result)
    const figures = Object.entries(result.figures).map(([name, value]) => `${name} ${value}`).join(', ')
    const word = result.skipped !== undefined ? 'skip' : result.passed ? 'pass' : 'FAIL'
    console.log(`${word}  ${result.name}  ${result.what}: ${result.skipped ?? figures}`)
    for (const problem of result.problems.slice(0, 10)) console.log(`      ${problem}`)
  }
} finally {
  await services.stop()
}

const failed = results.filter(({ passed }) => !passed).length
if (!tenth && chosen.length === 0) {
  const machine = { cpu: cpus()[0]?.model ?? '', cores: cpus().length, node: process.version }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  writeFileSync(join(root, 'docs/faults.json'), JSON.stringify({ at: new Date().toISOString(), version, machine, results }, null, 2) + '\n')
}
console.log(`${results.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

async function carryOut ({ name, what, run }: Run): Promise<Result> {
  const stage = createStage()
  const began = performance.now()
  let outcome: Outcome
  try {
    outcome = await run(stage)
  } catch (error) {
    outcome = { problems: [String((error as Error).stack ?? error)], figures: {} }
  }
  await stage.close()
  return { name, what, passed: outcome.problems.length === 0, seconds: Math.round((performance.now() - began) / 1000), ...outcome }
}

/** Creates the template from which the databases of the runs are copied. */
async function makeTemplate (postgresUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query('CREATE DATABASE parley_template')
  const url = new URL(postgresUrl)
  url.pathname = '/parley_template'
  const database = await openDatabase({ ...loadConfig({}).config.database, url: url.href })
  await database.migrate()
  await database.close()
  // PostgreSQL refuses to copy a database to which a connection is still open.
  await eventually(async () => (await client.query("SELECT FROM pg_stat_activity WHERE datname = 'parley_template'")).rowCount === 0)
  await client.end()
}

import { setTimeout as sleep } from 'node:timers/promises'
import { startDatabase } from '../../scripts/postgres.ts'
import { startProxy } from '../deploy/nginx.ts'
import { eventually } from '../eventually.ts'
import { createDatabase } from '../helper.ts'
import { lasting } from '../websocket/odd-requests.ts'
import { connectRaw, openSocket } from '../websocket/raw.ts'
import { inParallel, startProcesses, startVictim } from './cluster.ts'
import { startLoad } from './load.ts'
import { createReport, type Outcome, type Report } from './outcome.ts'
import { seedPeople } from './people.ts'
import { startProcess, type Instance } from './process.ts'
import { keepConnected, toldDelay } from './return.ts'
import type { Stage } from './scope.ts'

const env = { CHANNELS_MAX_USERS_PER_CHANNEL: '0' }
/** Milliseconds that an instance may take to end: its drain_timeout. */
export const DRAIN_MS = 10_000

/** Milliseconds that an idle server may take to end. */
const IDLE_END_MS = 3000

/** The names of at most 40 channels, one for every two clients. */
const channelsFor = (clients: number): string[] => Array.from({ length: Math.min(40, Math.ceil(clients / 2)) }, (_, i) => `c${i}`)

type Cluster = Pick<Awaited<ReturnType<typeof startProcesses>>, 'databaseUrl' | 'enter' | 'join'>

/** Connects `count` clients: four writers in every channel, the others in one channel each. */
async function enter (cluster: Cluster, port: number, count: number, channels: string[]) {
  const writers = await cluster.enter(4, channels, [port])
  const people = await seedPeople(cluster.databaseUrl, count - writers.length)
  const readers = await inParallel(people, (member, i) => cluster.join(member, port, [channels[i % channels.length]!]))
  return { writers, clients: [...writers, ...readers] }
}

/** Sends SIGTERM and checks that the instance ends within `within` milliseconds and with exit code 0. */
export async function end (instance: Instance, report: Report, within = DRAIN_MS, name = 'exit_ms'): Promise<void> {
  const began = performance.now()
  instance.signal('SIGTERM')
  const { code, signal } = await instance.exited
  report.atMost(name, performance.now() - began, within)
  if (code !== 0) report.problem(`ended with ${code ?? signal}: ${instance.output().slice(-500)}`)
}

/**
 * G10. An instance with many clients gets SIGTERM while messages are sent through it: each client is told when to come back, and not
 * all at the same time. No acked message is lost, and no client misses a message once it is on the other instance.
 */
export async function drain (stage: Stage, { clients: count, rate }: { clients: number, rate: number }): Promise<Outcome> {
  const report = createReport()
  const cluster = await startVictim(stage, report, { env })
  const { ledger, instances: [leaving, stays] } = cluster
  const channels = channelsFor(count)
  const { writers, clients } = await enter(cluster, leaving.port, count, channels)
  const load = startLoad(ledger, { writers, channels, rate })
  await sleep(1000)

  await end(leaving, report)
  await eventually(() => clients.every(({ open }) => !open))
  const told = clients.map(toldDelay)
  report.equal('told_when_to_return', told.filter(ms => ms >= 0).length, clients.length)
  const [least, most] = [Math.min(...told), Math.max(...told)]
  report.figure('return_spread_ms', most - least)
  if (!(most - least > 500)) report.problem(`all are to return between ${least} and ${most} ms`)

  const kept = keepConnected(clients, stays.port)
  await kept.stop(120_000)
  report.figure('longest_absence_ms', kept.longestAbsence)
  await load.stop()
  await ledger.settle(clients, 10_000)
  return report.outcome()
}

/** G10. The database and one client do not respond: the instance still ends in time, and every client is told when to come back. */
export async function drainWithoutDatabase (stage: Stage, { timeout }: { timeout: number }): Promise<Outcome> {
  const report = createReport()
  const database = await startDatabase()
  stage.teardown(database.stop)
  const cluster = await startProcesses(stage, report, {
    faults: [undefined], databaseUrl: database.url, env: { SERVER_DRAIN_TIMEOUT: String(timeout) }
  })
  const { ledger, instances: [server] } = cluster
  const clients = await cluster.enter(5, ['room'])
  const deaf = await connectRaw(stage, server.port)
  for (const client of clients) ledger.note('room', client.port, await client.send('room', 'before'))
  database.signal('SIGSTOP')
  const late = Promise.all(clients.map(client => client.send('room', 'after')))
  await end(server, report, timeout * 1000)
  report.equal('acked_by_nobody', (await late).filter(({ code }) => code === null).length, 0)
  report.equal('told_when_to_return', clients.filter(client => toldDelay(client) >= 0).length, clients.length)
  if ((await deaf.closed()).code !== 1012) report.problem('the client that does not answer was told nothing')
  database.signal('SIGCONT')
  await ledger.compare(clients)
  return report.outcome()
}

/**
 * G10. Two instances behind nginx are replaced one after the other while messages are sent: no acked message is lost, none is stored
 * twice, every client comes back and misses nothing, and no HTTP request fails. `reads`: HTTP requests per second, at most.
 */
export async function rollingRestart (stage: Stage, { clients: count, rate, reads }: {
  clients: number, rate: number, reads: number
}): Promise<Outcome> {
  const report = createReport()
  const cluster = await startProcesses(stage, report, { env: { ...env, TRUST_PROXY: 'loopback' } })
  const { ledger, instances } = cluster
  const proxy = await startProxy(stage, [instances[0].port, instances[1].port])
  const channels = channelsFor(count)
  const { writers, clients } = await enter(cluster, proxy.port, count, channels)
  const kept = keepConnected(clients, proxy.port)
  const load = startLoad(ledger, { writers, channels, rate })
  const reading = startReading(proxy.origin, clients[0]!.member.token, reads)

  for (const [i, instance] of instances.entries()) {
    await end(instance, report, DRAIN_MS, `exit_${i + 1}_ms`)
    const next = await startProcess(stage, { env: { ...cluster.env, PORT: String(instance.port) } })
    await eventually(async () => (await fetch(`http://127.0.0.1:${next.port}/readyz`)).ok)
    // nginx does not use an instance for 2 s after it could not reach it.
    await sleep(2500)
  }
  await kept.stop()
  report.figure('returns', kept.returns)
  report.atMost('longest_absence_ms', kept.longestAbsence, 30_000)
  await load.stop()
  const { asked, failed } = await reading.stop()
  report.figure('requests', asked)
  report.equal('requests_failed', failed, 0)
  await ledger.settle(clients, 10_000)
  return report.outcome()
}

/** G10. SIGTERM to an idle server, while 20 clients of one kind keep connections open that nothing else ends; each kind in turn. */
export async function openSockets (stage: Stage): Promise<Outcome> {
  const report = createReport()
  const DATABASE_URL = await createDatabase(stage)
  for (const [i, [, bytes]] of lasting.entries()) {
    const server = await startProcess(stage, { env: { DATABASE_URL, SERVER_DRAIN_TIMEOUT: '60' } })
    const sockets = Array.from({ length: 20 }, () => openSocket(stage, server.port, bytes))
    await Promise.all(sockets.map(({ received }) => eventually(() => received() !== '')))
    await end(server, report, IDLE_END_MS, `exit_${i + 1}_ms`)
  }
  return report.outcome()
}

/** Sends HTTP requests one after the other until `stop`. */
function startReading (origin: string, token: string, perSecond: number) {
  let [asked, failed] = [0, 0]
  let stopping = false
  async function read (): Promise<void> {
    while (!stopping) {
      asked++
      // Each request has its own connection, because either side may close an idle one just when the next request leaves.
      const headers = { authorization: `Bearer ${token}`, connection: 'close' }
      const done = await fetch(`${origin}/api/channels/c0/messages?limit=1`, { headers }).then(async answer => {
        await answer.arrayBuffer()
        return answer.ok
      }, () => false)
      if (!done) failed++
      await sleep(1000 / perSecond)
    }
  }
  const done = read()
  return {
    async stop () {
      stopping = true
      await done
      return { asked, failed }
    }
  }
}

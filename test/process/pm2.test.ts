import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { createClients } from '../client.ts'
import { createDataDirectory } from '../embedded.ts'
import { eventually } from '../eventually.ts'
import { seedPeople } from '../faults/people.ts'
import { createDatabase, redis, secret } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { node } from '../node.ts'
import { t, type Test } from '../tap.ts'
import type { Order, Report } from './primary.ts'

// The workers of these tests start one after the other, which takes long on a busy machine.
const PATIENCE = 100_000

/** Starts a primary that runs servers as PM2 does in cluster mode, and ends it and its workers with the test. */
function startPrimary (t: Test, env: Record<string, string>) {
  const temporary = mkdtempSync(join(tmpdir(), 'parley-pm2-'))
  const [command, ...options] = node()
  const primary = spawn(command, [...options, join(root, 'dist/test/process/primary.js')], {
    cwd: root,
    env: {
      PATH: process.env.PATH, HOST: '127.0.0.1', JWT_SECRET: secret, PORT: '0', LIMITS_EVENT_LOOP_DELAY: '0', TMPDIR: temporary, ...env
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let output = ''
  for (const stream of [primary.stdout!, primary.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const reports: Report[] = []
  primary.on('message', (report: Report) => { reports.push(report) })
  const closed = once(primary, 'close')
  t.teardown(async () => {
    for (const { pid } of reports) kill(pid)
    primary.kill('SIGKILL')
    await closed
    rmSync(temporary, { recursive: true })
  })
  const order = (order: Order): void => { primary.send(order) }

  return {
    output: () => output,
    order,
    /** The sockets of the workers' metrics. */
    sockets: () => readdirSync(temporary, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.sock')),
    /** Starts a worker. Resolves with its process id when it has said that it is ready. */
    async fork (): Promise<number> {
      const before = reports.length
      order('fork')
      const ready = await eventually(() => reports.slice(before).find(report => 'says' in report && report.says === 'ready'), PATIENCE)
      return ready.pid
    },
    /** Resolves with how this worker has ended. */
    end: (pid: number) => eventually(() => {
      const report = reports.find(report => report.pid === pid && 'ended' in report)
      return report && 'ended' in report && report.ended
    }, PATIENCE)
  }
}

function kill (pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // The worker has ended already.
  }
}

t.test('workers of PM2 say that they are ready, share their ports, and answer /metrics with the sum of all', async t => {
  const { url, prefix } = redis()
  const databaseUrl = await createDatabase(t)
  const primary = startPrimary(t, {
    DATABASE_URL: databaseUrl, REDIS_URL: url!, REDIS_PREFIX: prefix!, METRICS_PORT: '0', LOG_LEVEL: 'info', WEB_CONCURRENCY: '4'
  })
  const first = await primary.fork()
  const second = await primary.fork()
  const listening = /Server listening at http:\/\/127\.0\.0\.1:(\d+)/g
  const portsOf = (): number[] => [...primary.output().matchAll(listening)].map(([, port]) => Number(port))
  await eventually(() => portsOf().length === 4, PATIENCE)
  const ports = portsOf()
  t.strictSame(ports.slice(2), ports.slice(0, 2), 'the second worker listens on the ports of the first')
  const [metricsPort, port] = ports as [number, number]
  const [ann, ben] = await seedPeople(databaseUrl, 2)
  const clients = createClients(t, port)
  const enter = async (token: string) => {
    const client = await clients.connect()
    await client.request({ type: 'authenticate', token })
    await client.request({ type: 'join_channel', channel: 'room' })
    return client
  }
  const count = async (): Promise<number> => {
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } })
    return response.ok ? parseMetrics(await response.text()).value('parley_connections') : -1
  }
  const both = [await enter(ann!.token), await enter(ben!.token)]

  await t.test('each scrape has the connections of both workers, whichever answers', async t => {
    for (let i = 0; i < 4; i++) t.equal(await count(), 2)
    t.equal(primary.sockets().length, 2)
  })

  await t.test('[G10] the message `shutdown` of a reload drains a worker: its clients are told to come back, the others stay', async t => {
    primary.order({ pid: first, message: 'shutdown' })
    const closes = both.map(client => client.closed())
    t.match(await Promise.race(closes), { code: 1012, reason: /^service restart retry_after_ms=\d+$/ })
    t.same(await primary.end(first), { code: 0, signal: null })
    t.equal(await eventually(async () => (await count()) === 1), true)
  })

  await t.test('a worker that was killed has left the sum, and a new one is part of it', async t => {
    await primary.fork()
    process.kill(second, 'SIGKILL')
    await primary.end(second)
    t.equal(await count(), 0)
    await enter(ann!.token)
    t.equal(await count(), 1)
    t.equal(primary.sockets().length, 1)
  })
})

t.test('a worker of PM2 without PostgreSQL and Redis is told what several of them want', async t => {
  const primary = startPrimary(t, { PARLEY_DATA_DIR: await createDataDirectory(t) })
  await primary.fork()
  t.equal(primary.output().match(/several of them want DATABASE_URL and REDIS_URL/g)?.length, 1)
})

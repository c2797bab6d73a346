import { execFileSync } from 'node:child_process'
import { createClients } from '../client.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { seedPeople } from '../faults/people.ts'
import { startProcess, type Instance } from '../faults/process.ts'
import { administrate, createDatabase, type Scope } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { t } from '../tap.ts'
import { handshake, openSocket } from './raw.ts'

// The tests start server processes, which are slow while the machine is busy.
t.setTimeout(300_000)

/** Milliseconds to wait for a recovery. The server needs part of them to end connections that send nothing. */
const PATIENCE = 60_000

/** Starts a server process that may open `descriptors` files and sockets, and two clients that exchange messages. */
async function startTalk (t: Scope, env: Record<string, string>, descriptors: number) {
  const databaseUrl = await createDatabase(t)
  const limits = { LIMITS_CONNECTION_FRAMES: '100000', LIMITS_USER_FRAMES: '100000', LIMITS_ADDRESS_FRAMES: '100000' }
  const options = { DATABASE_URL: databaseUrl, METRICS_PORT: '0', LOG_LEVEL: 'info', ...limits, ...env }
  const server = await startProcess(t, { env: options, descriptors })
  const clients = []
  for (const { token } of await seedPeople(databaseUrl, 2)) {
    const client = await createClients(t, server.port).connect()
    await client.request({ type: 'authenticate', token })
    await client.request({ type: 'join_channel', channel: 'room' })
    clients.push(client)
  }
  const [ann, ben] = clients as [typeof clients[0], typeof clients[0]]
  return {
    server,
    databaseUrl,
    ann,
    /** Sends one message from ann to ben. */
    async talk (): Promise<void> {
      const { data: { seq } } = await ann.request({ type: 'send_message', channel: 'room', message: 'still here' })
      await ben.expect(frame => frame.type === 'message' && frame.seq === seq)
    }
  }
}

const linesWith = ({ output }: Instance, text: string): number => output().split(text).length - 1

/** Reads the number of dropped connections from the metrics port. */
async function dropped ({ output }: Instance): Promise<number> {
  const ports = [...output().matchAll(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
  for (const port of ports) {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
    if (!response?.ok) continue
    const { samples } = parseMetrics(await response.text())
    return samples.find(({ name }) => name === 'parley_connections_dropped_total')!.value
  }
  throw new Error('no metrics')
}

for (const [what, descriptors, bytes, count] of [
  ['500 connections that send nothing', 300, '', 500],
  ['800 upgrades by HEAD', 700, handshake().replace('GET', 'HEAD'), 800],
  ['800 WebSocket connections that send nothing', 700, handshake(), 800]
] as const) {
  t.test(`[P54] a server without free file descriptors serves open connections and recovers: ${what}`, async t => {
    const { server, talk } = await startTalk(t, {}, descriptors)
    const flood = Array.from({ length: count }, () => openSocket(t, server.port, bytes))
    const areGone = Promise.all(flood.map(({ ended }) => ended(PATIENCE)))
    // The flood lasts until the server itself has ended all connections that send nothing.
    let isOver = false
    areGone.then(() => { isOver = true }, () => {})
    while (!isOver) await talk()
    await areGone
    await eventually(async () => (await openSocket(t, server.port, handshake()).answered()).status === 101, PATIENCE)
    await talk()
    t.ok(linesWith(server, 'out of file descriptors') <= 1, 'one line')
    if (bytes === '') {
      t.ok(await dropped(server) > 100)
      t.equal(linesWith(server, 'out of file descriptors'), 1)
      t.equal(linesWith(server, 'allows fewer connections'), 1)
    }
    server.signal('SIGTERM')
    t.same(await server.exited, { code: 0, signal: null })
  })
}

t.test('[P54] a server without file descriptors for the database, Redis and files keeps running and recovers', async t => {
  const redis = await startRedis(t)
  const { server, databaseUrl, ann, talk } = await startTalk(t, { REDIS_URL: redis.url }, 700)
  const limit = (count: number): void => { execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${count}:700`]) }
  // The server already has more than three open, so that not even Node's reserve for refusing connections is left.
  limit(3)
  await redis.kill()
  await redis.start()
  const name = new URL(databaseUrl).pathname.slice(1)
  const postgres = process.env.TEST_DATABASE_URL!
  await administrate(postgres, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  await ann.expect('degraded', PATIENCE)
  const refused = await ann.exchange({ type: 'send_message', channel: 'room', message: 'no connection for it' })
  t.match(refused, { type: 'error', code: 'unavailable' })
  // These requests take long enough for the periodic tasks of the server to run without file descriptors.
  for (let i = 0; i < 100; i++) await ann.exchange({ type: 'channel_list' })
  const late = openSocket(t, server.port, 'GET /docs/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
  limit(700)
  // Node has either refused this connection or accepts it now.
  await Promise.race([late.answered(), late.ended()])
  await eventually(() => talk().then(() => true, () => false), PATIENCE)
  await ann.expect('restored', PATIENCE)
  t.equal((await fetch(`http://127.0.0.1:${server.port}/docs/`)).status, 200)
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
})

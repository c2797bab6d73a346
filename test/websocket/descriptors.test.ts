import { execFileSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { createClients } from '../client.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { seedPeople } from '../faults/people.ts'
import { startProcess } from '../faults/process.ts'
import { administrate, createDatabase } from '../helper.ts'
import { parseMetrics } from '../metrics/scrape.ts'
import { t } from '../tap.ts'
import { handshake, openSocket } from './raw.ts'

/** Files and sockets that the server process may open. */
const DESCRIPTORS = 300
/** Connections of a flood. */
const FLOOD = 500
/** Milliseconds between two messages during a flood. */
const PAUSE_MS = 100
/** Milliseconds to wait for a recovery. The server needs part of them to end connections that send nothing. */
const PATIENCE = 120_000

// All tests use one server process and two of its clients, which exchange messages.
const redis = await startRedis(t)
const databaseUrl = await createDatabase(t)
const limits = { LIMITS_CONNECTION_FRAMES: '100000', LIMITS_USER_FRAMES: '100000', LIMITS_ADDRESS_FRAMES: '100000' }
const env = { DATABASE_URL: databaseUrl, REDIS_URL: redis.url, METRICS_PORT: '0', LOG_LEVEL: 'info', ...limits }
const server = await startProcess(t, { env, descriptors: DESCRIPTORS })
const [annToken, benToken] = (await seedPeople(databaseUrl, 2)).map(({ token }) => token)
const [ann, ben] = [await enter(annToken!), await enter(benToken!)]

async function enter (token: string) {
  const client = await createClients(t, server.port).connect()
  await client.request({ type: 'authenticate', token })
  await client.request({ type: 'join_channel', channel: 'room' })
  return client
}

/** Sends one message from ann to ben. */
async function talk (): Promise<void> {
  const { data: { seq } } = await ann.request({ type: 'send_message', channel: 'room', message: 'still here' })
  await ben.expect(frame => frame.type === 'message' && frame.seq === seq)
}

const linesWith = (text: string): number => server.output().split(text).length - 1

/** Reads the number of dropped connections from the metrics port. */
async function dropped (): Promise<number> {
  const ports = [...server.output().matchAll(/Server listening at http:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port)
  for (const port of ports) {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
    if (!response?.ok) continue
    const { samples } = parseMetrics(await response.text())
    return samples.find(({ name }) => name === 'parley_connections_dropped_total')!.value
  }
  throw new Error('no metrics')
}

t.test('[P54] a server that may open few files says at its start that its connections are fewer than configured', async t => {
  t.equal(linesWith('allows fewer connections'), 1)
})

for (const [what, bytes] of Object.entries({
  'connections that send nothing': '',
  'upgrades by HEAD': handshake().replace('GET', 'HEAD'),
  'WebSocket connections that send nothing': handshake()
})) {
  t.test(`[P54] a server without free file descriptors serves open connections and recovers: ${FLOOD} ${what}`, async t => {
    const [droppedBefore, linesBefore] = [await dropped(), linesWith('out of file descriptors')]
    const flood = Array.from({ length: FLOOD }, () => openSocket(t, server.port, bytes))
    // The flood lasts until the server itself has ended all connections that send nothing.
    await eventually(async () => {
      await talk()
      await setTimeout(PAUSE_MS)
      return flood.every(({ socket }) => socket.closed)
    }, PATIENCE)
    await eventually(async () => (await openSocket(t, server.port, handshake()).answered()).status === 101, PATIENCE)
    await talk()
    t.ok(linesWith('out of file descriptors') <= linesBefore + 1, 'one line')
    // The server closes some of the connections that send something before there are too many.
    if (bytes !== '') return
    t.ok(await dropped() > droppedBefore + 100)
    t.ok(linesWith('out of file descriptors') >= 1)
  })
}

t.test('[P54] a server without file descriptors for the database, Redis and files keeps running and recovers', async t => {
  const limit = (count: number): void => { execFileSync('prlimit', ['--pid', String(server.pid), `--nofile=${count}:${DESCRIPTORS}`]) }
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
  limit(DESCRIPTORS)
  // Node has either refused this connection or accepts it now.
  await Promise.race([late.answered(), late.ended()])
  await eventually(() => talk().then(() => true, () => false), PATIENCE)
  await ann.expect('restored', PATIENCE)
  t.equal((await fetch(`http://127.0.0.1:${server.port}/docs/`)).status, 200)
})

t.test('[P54] after all that the server ends in order', async t => {
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
})

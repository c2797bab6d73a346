import WebSocket from 'ws'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { createClients, type Client, type Frame } from '../client.ts'
import { createDataDirectory } from '../embedded.ts'
import { t, type Test } from '../tap.ts'
import { launch, startProcess, type Instance } from './process.ts'

/** Number of sends that wait for an answer at the same time. */
const WINDOW = 50
/** Number of acks after which the process is killed. */
const ENOUGH = 100

async function call (port: number, method: string, path: string, { body, token }: { body?: unknown, token?: string } = {}): Promise<Frame> {
  const response = await fetch(`http://127.0.0.1:${port}/api${path}`, {
    method,
    headers: { ...body !== undefined && { 'content-type': 'application/json' }, ...token && { authorization: `Bearer ${token}` } },
    ...body !== undefined && { body: JSON.stringify(body) }
  })
  return await response.json() as Frame
}

const register = (port: number): Promise<Frame> =>
  call(port, 'POST', '/auth/register', { body: { email: 'ann@example.org', name: 'ann', password: 'correct horse' } })

async function enter (t: Test, port: number, token: string): Promise<Client> {
  const client = await createClients(t, port).connect()
  await client.request({ type: 'authenticate', token })
  await client.request({ type: 'join_channel', channel: 'room' })
  return client
}

/** Reads the whole history of the channel, page by page. */
async function readHistory (port: number, token: string): Promise<Frame[]> {
  const all: Frame[] = []
  for (;;) {
    const { messages } = await call(port, 'GET', `/channels/room/messages?limit=100&after=${all.length}`, { token })
    all.push(...messages)
    if (messages.length < 100) return all
  }
}

/** Keeps sending until the process has given `ENOUGH` acks, then kills it. */
async function sendAndKill (server: Instance, client: Client, acked: Map<number, string>): Promise<void> {
  let [sent, acks] = [0, 0]
  const send = (): void => {
    const text = `${server.pid}-${++sent}`
    if (client.socket.readyState === WebSocket.OPEN) client.send({ type: 'send_message', channel: 'room', message: text, ref: text })
  }
  client.socket.on('message', data => {
    const frame = JSON.parse(String(data))
    if (frame.action !== 'message_sent') return
    acked.set(frame.data.seq, frame.ref)
    if (++acks === ENOUGH) server.signal('SIGKILL')
    send()
  })
  for (let i = 0; i < WINDOW; i++) send()
  await server.exited
}

t.test('the embedded database survives SIGKILL during sends, a second process and SIGTERM', async t => {
  const directory = await createDataDirectory(t)
  const env = { PARLEY_DATA_DIR: directory, LIMITS_ENABLED: 'false' }
  const acked = new Map<number, string>()

  const first = await startProcess(t, { env })
  const token = (await register(first.port)).access_token
  await sendAndKill(first, await enter(t, first.port, token), acked)

  const server = await startProcess(t, { env })
  const client = await enter(t, server.port, token)

  await t.test('[P26] after a SIGKILL each acked message is in history once, in the order of seq', async t => {
    const history = await readHistory(server.port, token)
    t.ok(acked.size >= ENOUGH)
    t.same(history.map(({ seq }) => seq), history.map((_, i) => i + 1), 'history has no gap and is in order')
    t.equal(new Set(history.map(({ message }) => message)).size, history.length, 'no message is in history twice')
    t.same([...acked].filter(([seq, message]) => history[seq - 1]?.message !== message), [], 'every acked message is in history')
  })

  await t.test('a second process on the same data directory is refused in one line', async t => {
    const second = launch(t, { env })
    t.equal((await second.exited).code, 1)
    t.match(second.output(), /^parley: [^\n]*in use[^\n]*\n$/)
    t.equal((await client.request({ type: 'heartbeat' })).type, 'heartbeat_ack', 'the first process is not affected')
  })

  await t.test('[P26] G10: SIGTERM closes with 1012, exits with 0 and loses no acked message', async t => {
    const witness = await enter(t, server.port, token)
    for (let i = 1; i <= 100; i++) client.send({ type: 'send_message', channel: 'room', message: `last ${i}`, ref: i })
    await client.expect(({ action }) => action === 'message_sent')
    server.signal('SIGTERM')
    for (const { closed } of [client, witness]) {
      const { code, reason } = await closed()
      t.equal(code, 1012)
      t.match(reason, /^service restart retry_after_ms=\d+$/)
    }
    t.same(await server.exited, { code: 0, signal: null })
    const seqs = client.inbox.filter(({ action }) => action === 'message_sent').map(({ data }) => data.seq)
    t.same(seqs.filter(seq => !witness.inbox.some(frame => frame.type === 'message' && frame.seq === seq)), [], 'no ack without delivery')
    const database = await openDatabase({ ...loadConfig({}).config.database, data_dir: directory })
    t.teardown(database.close)
    t.equal(await database.prisma.message.count({ where: { seq: { in: seqs } } }), seqs.length, 'every acked message is stored')
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createClients, type Client } from '../client.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, redis } from '../helper.ts'
import { seedPeople, type Member } from '../faults/people.ts'
import { launch, startProcess, type Instance } from '../faults/process.ts'
import { t } from '../tap.ts'

/** Milliseconds until workers have to run: they start one after the other. */
const PATIENCE = 60_000

const token = 'the-token-of-the-metrics'

/** The environment of a server with two workers, which need PostgreSQL and Redis. */
async function environment (t: Parameters<typeof createDatabase>[0]): Promise<Record<string, string>> {
  const { url, prefix } = redis()
  return { WEB_CONCURRENCY: '2', DATABASE_URL: await createDatabase(t), REDIS_URL: url!, REDIS_PREFIX: prefix! }
}

/** Ids of the server's worker processes that are still running. */
function workersOf ({ pid }: Instance): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.filter(child => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('src/server.js'))
}

async function enter (t: Parameters<typeof createClients>[0], port: number, { token }: Member): Promise<Client> {
  const client = await createClients(t, port).connect()
  await client.request({ type: 'authenticate', token })
  await client.request({ type: 'join_channel', channel: 'room' })
  return client
}

const isOpen = ({ socket }: Client): boolean => socket.readyState === socket.OPEN

t.test('two workers share one port, and a worker that dies is replaced', async t => {
  const env = await environment(t)
  const server = await startProcess(t, { env: { ...env, METRICS_TOKEN: token, LOG_LEVEL: 'info' } })
  const people = await seedPeople(env.DATABASE_URL!, 6)
  const clients: Client[] = []
  for (const person of people) clients.push(await enter(t, server.port, person))
  const [victim, other] = workersOf(server)
  const metrics = (): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}/metrics`, { headers: { authorization: `Bearer ${token}` } })

  await t.test('[P27] every client receives the messages of all clients in order, and the server prints its greeting once', async t => {
    for (const [i, client] of clients.entries()) await client.request({ type: 'send_message', channel: 'room', message: `from ${i}` })
    for (const client of clients) {
      for (let seq = 1; seq <= clients.length; seq++) t.equal((await client.expect('message')).seq, seq)
    }
    t.equal(server.output().match(/Parley is listening/g)?.length, 1)
  })

  await t.test('/metrics is the sum of all workers, whichever worker answers', async t => {
    t.match(await (await metrics()).text(), new RegExp(`^parley_connections ${clients.length}$`, 'm'))
  })

  await t.test('a killed worker disconnects only its own clients, and a client that comes back misses nothing', async t => {
    process.kill(victim!, 'SIGKILL')
    const answers = await Promise.all(clients.map(client => client.settle().then(() => true, () => false)))
    const left = clients.filter((_, i) => answers[i])
    t.ok(left.length > 0 && left.length < clients.length, 'each worker had some of the clients')
    const lost = answers.indexOf(false)
    clients[lost] = await enter(t, server.port, people[lost]!)
    await left[0]!.request({ type: 'send_message', channel: 'room', message: 'still here' })
    t.equal((await clients[lost]!.expect('message')).message, 'still here')
    await eventually(() => workersOf(server).filter(pid => pid !== victim && pid !== other).length === 1, PATIENCE)
    t.match(server.output(), /a worker ended, another takes its place/)
  })

  await t.test('[G10] Ctrl-C signals the whole process group: every client is told when to return, and the exit code is 0', async t => {
    // The new worker is ready once /metrics answers, because the sum includes every worker.
    await eventually(async () => (await metrics()).ok, PATIENCE)
    const open = clients.filter(isOpen)
    for (const pid of [...workersOf(server), server.pid]) process.kill(pid, 'SIGINT')
    for (const { closed } of open) t.match(await closed(), { code: 1012, reason: /^service restart retry_after_ms=\d+$/ })
    t.same(await server.exited, { code: 0, signal: null })
    t.match(server.output(), '"signal":"SIGINT","msg":"closing all workers"')
  })
})

t.test('[G10] the end of a terminal and the signals of service managers close a server, or all workers, as Ctrl-C does', async t => {
  const program = `
    import { onSignals } from ${JSON.stringify(new URL('../../src/process/signals.js', import.meta.url))}
    onSignals(signal => { process.stdout.write(signal, () => process.exit()) }, () => {})
    process.stdin.resume()
    process.stdout.write('ready')`
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    t.equal(String((await once(child.stdout, 'data'))[0]), 'ready')
    child.kill(signal)
    t.equal(String((await once(child.stdout, 'data'))[0]), signal)
  }
})

t.test('[G10] when the primary is killed, its workers drain and end by themselves', async t => {
  const env = await environment(t)
  const server = await startProcess(t, { env: { ...env, METRICS_PORT: '0', LOG_LEVEL: 'info' } })
  const [person] = await seedPeople(env.DATABASE_URL!, 1)
  const client = await enter(t, server.port, person!)
  const workers = workersOf(server)
  t.equal(workers.length, 2)

  await t.test('the primary serves the metrics of its workers on a separate port', async t => {
    const lines = server.output().split('\n').filter(line => line.includes(`"pid":${server.pid},`))
    const [, port] = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(lines.join('\n')) ?? []
    t.match(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(), /^parley_connections 1$/m)
  })

  await server.kill()
  t.match(await client.closed(), { code: 1012, reason: /^service restart retry_after_ms=\d+$/ })
})

t.test('without Redis the server runs in one process and logs one line that says why', async t => {
  const { REDIS_URL: _, ...env } = await environment(t)
  const server = await startProcess(t, { env })
  t.equal(workersOf(server).length, 0)
  t.equal(server.output().match(/one process only/g)?.length, 1)

  await t.test('a start that cannot succeed is tried once and reported once', async t => {
    const second = launch(t, { env: { ...env, REDIS_URL: process.env.TEST_REDIS_URL!, PORT: String(server.port) } })
    t.equal((await second.exited).code, 1)
    t.match(second.output(), /^parley: cannot listen on 127\.0\.0\.1:\d+: the port is in use[^\n]*\n$/m)
    t.equal(second.output().match(/^parley:/gm)?.length, 1)
  })
  server.signal('SIGTERM')
  t.same(await server.exited, { code: 0, signal: null })
})

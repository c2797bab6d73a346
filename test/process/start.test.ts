import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import fastify from 'fastify'
import pg from 'pg'
import { listenError } from '../../src/process/listen.ts'
import { StartError, printFailure } from '../../src/process/start-error.ts'
import { createClients } from '../client.ts'
import { eventually } from '../eventually.ts'
import { launch, startProcess, type Instance } from '../faults/process.ts'
import { administrate, createDatabase, startServer } from '../helper.ts'
import { t, type Test } from '../tap.ts'

interface Line { msg: string, level: number, address?: string, variable?: string }

/** The lines of the log that a process has written so far. */
function linesOf ({ output }: Pick<Instance, 'output'>): Line[] {
  return output().split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line))
}

/** The lines that `printFailure` prints for an error. */
function printed (t: Test, error: unknown, withStack = false): string[] {
  const calls = t.capture(console, 'error')
  printFailure(error, withStack)
  calls.restore()
  return calls().map(({ args }) => String(args[0]))
}

/** Whether this machine has an IPv6 address at which a server can be reached. */
function hasIPv6 (): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(0, '::1', () => probe.close(() => resolve(true)))
  })
}

async function errorOf (promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('no error')
}

/** The server of the tests of a start that succeeds. The first line has what the first test is about, the second what the second is. */
const server = await startProcess(t, {
  env: {
    DATABASE_URL: await createDatabase(t), HOST: '', LOG_LEVEL: 'info', METRICS_PORT: '0', TRUST_PROXY: '127.0.0.0/8',
    ALLOWED_ORIGIN: 'https://a.example', METRIC_TOKEN: 'a secret', SERVER_PORT: 'tcp://10.0.0.1:9090'
  }
})

t.test('by default the server listens on IPv4 and IPv6, and an IPv4 client keeps its address', async t => {
  t.match(server.output(), `Parley is listening on http://localhost:${server.port}\n`)
  const metricsPort = await eventually(() => {
    const ports = linesOf(server).map(({ msg }) => Number(/^Server listening at http:\S+:(\d+)$/.exec(msg)?.[1] ?? server.port))
    return ports.find(port => port !== server.port)
  })
  for (const host of ['127.0.0.1', ...await hasIPv6() ? ['[::1]'] : []]) {
    t.equal((await fetch(`http://${host}:${server.port}/healthz`)).status, 200, host)
    t.equal((await fetch(`http://${host}:${metricsPort}/metrics`)).status, 200, host)
  }
  const clients = createClients(t, server.port)
  await (await clients.connect()).close()
  await (await clients.connect({ headers: { 'x-forwarded-for': '203.0.113.7' } })).close()
  const closed = await eventually(() => {
    const found = linesOf(server).filter(({ msg }) => msg === 'connection closed')
    return found.length === 2 && found
  })
  t.same(closed.map(({ address }) => address), ['127.0.0.1', '203.0.113.7'])
})

t.test('each variable without effect is one warning in the log of the start', async t => {
  const warnings = linesOf(server).filter(({ variable }) => variable !== undefined)
  t.same(warnings.map(({ variable }) => variable).sort(), ['ALLOWED_ORIGIN', 'METRIC_TOKEN', 'SERVER_PORT'])
  t.ok(warnings.every(({ level }) => level === 40))
  t.match(warnings.find(({ variable }) => variable === 'ALLOWED_ORIGIN')!.msg, 'did you mean ALLOWED_ORIGINS?')
  t.notMatch(server.output(), /a secret/)
})

t.test('a start that the database refuses is one line without a stack, which says what to look at', async t => {
  const url = await createDatabase(t)
  await administrate(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`)
  const server = launch(t, { env: { DATABASE_URL: url } })
  t.equal((await server.exited).code, 1)
  t.match(server.output(), /^parley: [^\n]*the server is read-only[^\n]*DATABASE_URL[^\n]*\n$/)
})

t.test('the built server knows that it runs in production: it makes no secret of its own there', async t => {
  const server = launch(t, { env: { NODE_ENV: 'production', JWT_SECRET: '', PARLEY_DATA_DIR: 'memory://' } })
  t.equal((await server.exited).code, 1)
  t.match(server.output(), /^parley: JWT_SECRET is required in production: [^\n]*\n$/)
})

t.test('a start that meets a lock on a table ends with one line that says so', async t => {
  const url = await createDatabase(t)
  const holder = new pg.Client(url)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN; LOCK TABLE "Channel"')
  const locked = await errorOf(startServer(t, { databaseUrl: url }))
  t.match(printed(t, locked), [/^parley: the database cannot be used: .*lock timeout/])
  t.equal(printed(t, locked).length, 1)
})

t.test('[P56] a start is refused in one line if the account of ADMIN_EMAIL has another password', async t => {
  const server = await startServer(t)
  const { email } = await server.register('ann')
  const authentication = { admin_email: email, admin_password: 'not their password' }
  const refused = await errorOf(startServer(t, { databaseUrl: server.databaseUrl, config: { authentication } }))
  t.match(printed(t, refused, true), [/^parley: ADMIN_EMAIL: \S+ has an account already/])
  t.equal(printed(t, refused, true).length, 1)
})

t.test('a port that is in use names the variable of that port', async t => {
  const url = await createDatabase(t)
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  for (const variable of ['PORT', 'METRICS_PORT']) {
    const server = launch(t, { env: { DATABASE_URL: url, [variable]: String(port) } })
    t.equal((await server.exited).code, 1)
    t.match(server.output(), new RegExp(`^parley: cannot listen on 127\\.0\\.0\\.1:${port}: the port is in use[^\\n]* set ${variable}\\n$`))
  }
})

t.test('a wrong HOST is one line', async t => {
  const host = '192.0.2.9'
  const error = await errorOf(once(createServer().listen(0, host), 'listening')) as NodeJS.ErrnoException
  t.same(printed(t, listenError(error, host, 0, 'PORT')), [
    `parley: cannot listen on ${host}:0: ${error.message}; set HOST to an address of this machine, or to * for all of them`
  ])
})

t.test('every failure is one line; the stack of one that nobody expects follows only if it is asked for', async t => {
  const app = fastify({ pluginTimeout: 50 })
  app.addHook('onReady', () => new Promise(() => {}))
  const late = await errorOf(app.ready())
  t.match(printed(t, late), [/^parley: the start took too long; look at the load of the database/])

  const refused = await errorOf(administrate(process.env.TEST_DATABASE_URL ?? '', 'SELECT no_such_column'))
  t.match(printed(t, refused), [/^parley: the database refuses: column "no_such_column" does not exist; look at .* DATABASE_URL$/])

  const unreachable = await errorOf(new Promise((_resolve, reject) => connect(1, '127.0.0.1').on('error', reject)))
  t.match(printed(t, unreachable), [/^parley: connect ECONNREFUSED 127\.0\.0\.1:1; does a server run at this address\?$/])

  for (const error of [late, refused, unreachable]) t.equal(printed(t, error).length, 1)
  const mistake = new TypeError('a is\n  not a function', { cause: new Error('because') })
  t.same(printed(t, mistake), ['parley: stopped by a fault of the program: TypeError: a is not a function (LOG_LEVEL=debug shows where)'])
  t.match(printed(t, mistake, true), [/^parley:/, /^TypeError: a is[^]*start\.test/, /^Error: because\n[^]*start\.test/])
  t.same(printed(t, new StartError('set JWT_SECRET'), true), ['parley: set JWT_SECRET'], 'a message for the operator needs no stack')
  t.same(printed(t, 'text'), ['parley: stopped by text'])
})

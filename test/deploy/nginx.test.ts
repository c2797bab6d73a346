import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { loadConfig } from '../../src/config.ts'
import { errorTable } from '../../src/errors.ts'
import { DEADLINE, eventually } from '../eventually.ts'
import { createDatabase, redis, startServer, type ConfigChange, type Scope, type Server } from '../helper.ts'
import { t } from '../tap.ts'
import { configuration, startProxy } from './nginx.ts'
import { ask, countPings, countUpgrades, passesLargestFrame } from './traffic.ts'

/** Two instances of one cluster behind nginx. `changes` replaces texts of the nginx configuration. */
async function start (t: Scope, configs: [ConfigChange, ConfigChange] = [{}, {}], changes: Record<string, string> = {}) {
  const cluster = { redis: redis() }
  const databaseUrl = await createDatabase(t)
  const [a, b] = await Promise.all(configs.map(config => startServer(t, {
    databaseUrl, config: { ...cluster, ...config, server: { trust_proxy: 'loopback', ...config.server } }
  }))) as [Server, Server]
  const proxy = await startProxy(t, [a.port, b.port], changes)
  const upgrades = [countUpgrades(a), countUpgrades(b)] as const
  return { a, b, proxy, upgrades }
}

t.test('through nginx: upgrades go to both instances, and their clients exchange messages', async t => {
  const { a, proxy, upgrades } = await start(t)
  const people = await Promise.all(['ann', 'ben', 'carl', 'dora'].map(async name => {
    const { access_token: token } = await a.register(name)
    const client = await proxy.connect()
    await client.request({ type: 'authenticate', token })
    await client.request({ type: 'join_channel', channel: 'both' })
    return client
  }))
  t.same(upgrades.map(count => count()), [2, 2])
  for (const [i, client] of people.entries()) await client.request({ type: 'send_message', channel: 'both', message: `${i}` })
  for (const client of people) await client.expect(({ type, seq }) => type === 'message' && seq === 4)
  await passesLargestFrame(t, people[0]!, 'nginx')
})

t.test('[P3] through nginx: an Origin with the same host and port is accepted, and a foreign one is refused', async t => {
  const { proxy } = await start(t)
  t.ok(await proxy.connect({ headers: { origin: proxy.origin } }))
  const [, response] = await once(proxy.open({ headers: { origin: 'https://evil.example' } }).socket, 'unexpected-response')
  t.equal(response.statusCode, 403)
  const [, other] = await once(proxy.open({ headers: { origin: 'http://127.0.0.1' } }).socket, 'unexpected-response')
  t.equal(other.statusCode, 403, 'another port is another origin')
})

t.test('through nginx: a forged X-Forwarded-For has no effect, and limits count client addresses if the proxy is trusted', async t => {
  const body = JSON.stringify({ email: 'ann@example.org', password: 'wrong horse' })
  const trusting = await startServer(t, { config: { server: { trust_proxy: 'loopback' } } })
  const wary = await startServer(t)
  for (const [server, expected] of [[trusting, 401], [wary, 429]] as const) {
    const { port } = await startProxy(t, [server.port, server.port])
    const login = (localAddress: string, forged: string) => ask(port, '/api/auth/login', {
      method: 'POST', localAddress, body, headers: { 'content-type': 'application/json', 'x-forwarded-for': forged }
    })
    for (let i = 0; i < 10; i++) t.equal((await login('127.0.0.2', `198.51.100.${i}`)).status, 401)
    t.equal((await login('127.0.0.2', '198.51.100.99')).status, 429, 'after ten wrong passwords an address is limited')
    t.equal((await login('127.0.0.3', '198.51.100.1')).status, expected)
  }
})

t.test('through nginx: a silent client stays connected as long as Parley allows', async t => {
  const { performance: { connection_timeout: timeout, heartbeat_interval: heartbeat } } = loadConfig({}).config
  const [, location = ''] = /location = \/websocket \{(.*?)\}/s.exec(configuration) ?? []
  for (const name of ['proxy_read_timeout', 'proxy_send_timeout']) {
    const [, seconds] = new RegExp(`${name} (\\d+)s;`).exec(location) ?? []
    t.ok(Number(seconds) > timeout + heartbeat, `${name} is longer than the timeout of Parley`)
  }

  // The same on a small scale: nginx waits 4 s, and a ping to this client passes through it every second.
  const short = { 'proxy_read_timeout 360s;': 'proxy_read_timeout 4s;' }
  const beating: ConfigChange = { performance: { heartbeat_interval: 1 } }
  const { a, proxy } = await start(t, [beating, beating], short)
  const client = await proxy.connect()
  const { access_token: token } = await a.register('ann')
  await client.request({ type: 'authenticate', token })
  const pings = countPings(client.socket)
  await eventually(() => pings() >= 6, 2 * DEADLINE)
  await client.settle()

  const quiet = await start(t, [{}, {}], short)
  t.equal((await (await quiet.proxy.connect()).closed()).code, 1006, 'without pings nginx ends the connection')
})

t.test('[G10] through nginx: when an instance ends, its clients come back through the other and miss nothing', async t => {
  const { a, b, proxy } = await start(t)
  const person = await a.register('ann')
  const enter = async (join: object) => {
    const client = await proxy.connect()
    await client.request({ type: 'authenticate', token: person.access_token })
    return Object.assign(client, { joined: (await client.request({ type: 'join_channel', channel: 'moving', ...join })).data })
  }
  const clients = await Promise.all(Array.from({ length: 8 }, () => enter({})))
  const { channel_id } = clients[0]!.joined
  const ends = Promise.race(clients.map(client => client.closed()))
  await a.close()
  t.equal((await ends).code, 1012)
  const ben = await b.enter('ben', 'moving')
  await ben.request({ type: 'send_message', channel: 'moving', message: 'while you were away' })
  const gone = clients.filter(({ socket }) => socket.readyState > socket.OPEN)
  t.equal(gone.length, 4)
  for (const back of await Promise.all(gone.map(() => enter({ since: 0, channel_id })))) {
    t.match(back.joined, { recovered: true, messages: [{ seq: 1, message: 'while you were away' }] })
  }
  t.equal((await ask(proxy.port, '/healthz')).status, 200)

  await b.close()
  const { status, headers, body } = await ask(proxy.port, '/healthz')
  t.equal(status, 503)
  t.match(headers, { 'retry-after': '2', 'content-type': /^application\/json/ })
  t.same(body, {
    statusCode: 503, error: 'Service Unavailable', code: 'unavailable', message: 'Service unavailable', retry_after_ms: 2000
  }, 'without an instance nginx answers in the format of all errors')
})

t.test('[P5] through nginx: an upgrade skips an instance that answers 503, and REST works even if all do', async t => {
  const full: ConfigChange = { server: { max_connections: 1 } }
  const { a, proxy, upgrades } = await start(t, [full, full])
  await a.connect()
  await proxy.connect()
  t.equal(upgrades[1](), 1)
  const refused = async () => (await once(proxy.open().socket, 'unexpected-response'))[1] as IncomingMessage
  for (let i = 0; i < 5; i++) {
    const { statusCode, headers } = await refused()
    t.equal(statusCode, 503)
    t.ok(headers['retry-after'])
    t.equal((await ask(proxy.port, '/healthz')).status, 200)
  }
})

t.test('through nginx: a request that is too large gets the error of Parley, and no instance counts as failed', async t => {
  const { proxy } = await start(t)
  const post = (bytes: number) => ask(proxy.port, '/api/auth/login', {
    method: 'POST', body: 'x'.repeat(bytes), headers: { 'content-type': 'application/json' }
  })
  t.match(await post(65_536), { status: 400, body: { code: 'invalid_json' } }, 'an instance accepts a body of this size')
  for (const bytes of [65_537, 1_000_000]) {
    const { status, body } = await post(bytes)
    t.equal(status, 413)
    t.match(body, { statusCode: status, code: 'payload_too_large', message: errorTable.payload_too_large.message })
  }
  await eventually(() => proxy.log().match(/ 413 \d+ \S+ - -$/gm)?.length === 2)
  const get = (cookie: string) => fetch(`${proxy.origin}/healthz`, { headers: { cookie } })
  t.equal((await get('x'.repeat(12_000))).status, 200)
  for (let i = 0; i < 4; i++) t.equal((await get('x'.repeat(20_000))).status, 400, 'headers that are too large are refused')
  t.equal((await get('')).status, 200)
})

t.test('through nginx: metrics are not public, and query strings are not logged', async t => {
  const { proxy } = await start(t)
  for (const path of ['/metrics', '/%6detrics', '//metrics', '/metrics?x']) {
    const response = await fetch(proxy.origin + path)
    t.equal(response.status, 404)
    t.notMatch(await response.text(), /fastify|"code"/, 'nginx itself answers')
  }
  await ask(proxy.port, '/healthz?token=secret-of-mine')
  await eventually(() => proxy.log().includes('/healthz'))
  t.notMatch(proxy.log(), 'secret-of-mine')
})

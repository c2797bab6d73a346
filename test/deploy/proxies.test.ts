import { once } from 'node:events'
import { loadConfig } from '../../src/config.ts'
import { errorTable } from '../../src/errors.ts'
import { DEADLINE, eventually } from '../eventually.ts'
import { createDatabase, redis, startServer, type ConfigChange, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { connectRaw } from '../websocket/raw.ts'
import { haproxyConfiguration, startCaddy, startHaproxy, type Proxy } from './proxies.ts'
import { ask, countPings, countUpgrades, passesLargestFrame } from './traffic.ts'

/** A ping passes through the proxy every second, and the proxies here end what is silent for some seconds. */
const config: ConfigChange = { performance: { heartbeat_interval: 1 } }
const short = {
  haproxy: { 'timeout tunnel 360s': 'timeout tunnel 4s', 'inter 2s fall 1': 'inter 100ms fall 1' },
  caddy: { 'idle 6m': 'idle 4s', 'health_interval 2s': 'health_interval 100ms' }
}

/** Two instances of one cluster, with the same HAProxy and the same Caddy in front of them. */
async function start (t: Scope) {
  const cluster = { redis: redis() }
  const databaseUrl = await createDatabase(t)
  const startOne = () => startServer(t, { databaseUrl, config: { ...cluster, ...config, server: { trust_proxy: 'loopback' } } })
  const [a, b] = [await startOne(), await startOne()]
  const upgrades = [countUpgrades(a), countUpgrades(b)] as const
  const [haproxy, caddy] = await Promise.all([
    startHaproxy(t, [a.port, b.port], short.haproxy), startCaddy(t, [a.port, b.port], short.caddy)
  ])
  return { a, b, upgrades, haproxy, caddy }
}

const { a, b, upgrades, haproxy, caddy } = await start(t)

/** The status with which an upgrade through the proxy is refused. */
async function refusal (proxy: Proxy, headers: Record<string, string>): Promise<number> {
  const [, { statusCode }] = await once(proxy.open({ headers }).socket, 'unexpected-response')
  return statusCode
}

for (const proxy of [haproxy, caddy]) {
  const { name, port, origin } = proxy

  t.test(`through ${name}: upgrades go to both instances, and silent clients stay connected and exchange messages`, async t => {
    const before = upgrades.map(count => count())
    const people = []
    for (const name of ['ann', 'ben', 'carl', 'dora']) {
      const { access_token: token } = await a.register(name)
      const client = await proxy.connect()
      await client.request({ type: 'authenticate', token })
      await client.request({ type: 'join_channel', channel: `through-${port}` })
      people.push(client)
    }
    t.same(upgrades.map((count, i) => count() - before[i]!), [2, 2])
    const pings = people.map(({ socket }) => countPings(socket))
    await eventually(() => pings.every(count => count() >= 6), 2 * DEADLINE)
    for (const client of people) await client.request({ type: 'send_message', channel: `through-${port}`, message: 'to all' })
    for (const client of people) await client.expect(({ type, seq }) => type === 'message' && seq === 4)
    await passesLargestFrame(t, people[0]!, 'the proxy')
  })

  t.test(`[P3] through ${name}: an Origin with the same host and port is accepted, and a foreign one is refused`, async t => {
    t.ok(await proxy.connect({ headers: { origin } }))
    t.equal(await refusal(proxy, { origin: 'https://evil.example' }), 403)
    t.equal(await refusal(proxy, { origin: 'http://127.0.0.1' }), 403, 'another port is another origin')
  })

  t.test(`through ${name}: the server sees the client's own address, whatever X-Forwarded-For the client sends`, async t => {
    const { body: { access_token: token } } = await ask(port, '/api/auth/register', {
      method: 'POST',
      localAddress: '127.0.7.7',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.1' },
      body: JSON.stringify({ name: 'ann', email: `ann-${port}@example.org`, password: 'correct horse' })
    })
    const { body } = await ask(port, '/api/me/logins', { headers: { authorization: `Bearer ${token}` } })
    t.match(body, { logins: [{ address: '127.0.7.0/24' }] })
  })

  t.test(`through ${name}: metrics are not public, and a request that is too large is refused`, async t => {
    for (const path of ['/metrics', '/%6detrics', '/metrics?x']) {
      const response = await fetch(origin + path)
      t.equal(response.status, 404)
      t.equal(await response.text(), '', 'the proxy itself answers')
    }
    // HAProxy closes the connection of a body that it refuses. A client that is still sending may see only that, and not the answer.
    const post = (bytes: number) => ask(port, '/api/auth/login', {
      method: 'POST',
      body: 'x'.repeat(bytes),
      headers: { 'content-type': 'application/json', 'content-length': String(bytes), expect: '100-continue' }
    })
    t.match(await post(65_536), { status: 400, body: { code: 'invalid_json' } }, 'an instance accepts a body of this size')
    for (const bytes of [65_537, 1_000_000]) {
      const { status, body } = await post(bytes)
      t.equal(status, 413)
      t.match(body, { statusCode: status, code: 'payload_too_large', message: errorTable.payload_too_large.message })
    }
    t.equal((await ask(port, '/healthz')).status, 200)
  })
}

t.test('through HAProxy: query strings are not logged', async t => {
  await ask(haproxy.port, '/healthz?token=secret-of-mine')
  await eventually(() => / GET \/healthz 200 /.test(haproxy.log()))
  t.notMatch(haproxy.log(), 'secret-of-mine')
})

t.test('HAProxy waits for silent clients longer than Parley', async t => {
  const { performance: { connection_timeout: timeout, heartbeat_interval: heartbeat } } = loadConfig({}).config
  t.ok(Number(/timeout tunnel (\d+)s/.exec(haproxyConfiguration)?.[1]) > timeout + heartbeat)
})

t.test('[P5] through HAProxy: an upgrade skips an instance that is full', async t => {
  const full: ConfigChange = { server: { max_connections: 1 } }
  const [one, other] = [await startServer(t, { config: full }), await startServer(t, { config: full })]
  await one.connect()
  const proxy = await startHaproxy(t, [one.port, other.port])
  const counts = [countUpgrades(one), countUpgrades(other)] as const
  await proxy.connect()
  t.equal(counts[1](), 1)
  t.equal(await refusal(proxy, {}), 503)
  t.same(counts.map(count => count() > 0), [true, true], 'both were asked')
  t.equal((await ask(proxy.port, '/healthz')).status, 200)
})

t.test('[G10] an instance that drains gets no new clients; when none is left, HAProxy says so in the form of all errors', async t => {
  // This client does not answer the close frame, so the drain has to wait for it.
  await connectRaw(t, a.port)
  const closing = a.close()
  await eventually(async () => (await ask(a.port, '/readyz')).status === 503)
  t.ok(await haproxy.connect(), 'HAProxy repeats an upgrade that was refused')
  for (const proxy of [haproxy, caddy]) {
    await eventually(async () => {
      const before = upgrades[0]()
      const opened = await Promise.all(Array.from({ length: 4 }, () => proxy.connect().then(() => true, () => false)))
      return opened.every(Boolean) && upgrades[0]() === before
    })
    t.equal((await ask(proxy.port, '/healthz')).status, 200)
  }
  await closing
  for (const proxy of [haproxy, caddy]) t.equal((await ask(proxy.port, '/healthz')).status, 200)

  await b.close()
  const { status, headers, body } = await ask(haproxy.port, '/healthz')
  t.equal(status, 503)
  t.match(headers, { 'retry-after': '2', 'content-type': 'application/json' })
  t.same(body, {
    statusCode: 503, error: 'Service Unavailable', code: 'unavailable', message: 'Service unavailable', retry_after_ms: 2000
  })
})

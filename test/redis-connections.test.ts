import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { RedisSettings } from '../src/redis-settings.ts'
import { startBlackhole } from './blackhole.ts'
import { freePort } from '../scripts/service.ts'
import { startBrokers } from './broker/brokers.ts'
import { startRedis } from './contracts/redis-server.ts'
import { eventually } from './eventually.ts'
import { redis, startServer } from './helper.ts'
import { t, type Test } from './tap.ts'
import { createCertificates, type Certificate } from './tls.ts'

const { log, open } = await startBrokers(t)
const certificates = createCertificates(t.testdir())
const authority = certificates.selfSigned('authority')
const other = certificates.selfSigned('other')

/** A Redis that speaks TLS at `port` with this certificate, and plain text at `plain.port`. */
async function openTls (t: Test, certificate: Certificate) {
  const port = await freePort()
  const files = ['--tls-cert-file', certificate.path, '--tls-key-file', certificate.key, '--tls-ca-cert-file', authority.path]
  const plain = await startRedis(t, ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files])
  return { plain, port, url: `rediss://localhost:${port}` }
}

/** Opens a bus. @returns whether it is connected, and the reason that was logged if it is not. */
async function outcome (t: Test, settings: RedisSettings): Promise<{ connected: boolean, reason?: unknown }> {
  log.length = 0
  const { broker } = await open(t, settings)
  const { connected } = broker
  await broker.close()
  t.equal(log.length, 1, 'one line tells the state')
  return { connected, ...'reason' in log[0]!.details && { reason: log[0]!.details.reason } }
}

/** The lines of CLIENT LIST, without that of `admin`. */
async function clientsOf (admin: Redis): Promise<string[]> {
  return String(await admin.client('LIST')).trim().split('\n').filter(line => !line.includes('cmd=client'))
}

const UP = { connected: true }
const down = (reason: RegExp): object => ({ connected: false, reason })

t.test('a self-signed certificate is refused, taken with REDIS_CA, and taken without verification', async t => {
  const certificate = certificates.selfSigned('heroku', 'DNS:elsewhere.example')
  const { url } = await openTls(t, certificate)
  t.match(await outcome(t, { url }), down(/^set REDIS_CA to .*, or REDIS_TLS_VERIFY=false \(self-signed certificate\)$/))
  t.match(await outcome(t, { url, ca: other.pem }), down(/^set REDIS_CA/))
  t.same(await outcome(t, { url, tls_verify: false }), UP)
  const known = certificates.selfSigned('known')
  t.same(await outcome(t, { url: (await openTls(t, known)).url, ca: other.pem + known.pem }), UP)
})

t.test('a certificate is verified against REDIS_CA and the host of the URL', async t => {
  const signed = certificates.signed(authority, 'signed')
  const { url, port } = await openTls(t, signed)
  t.same(await outcome(t, { url, ca: authority.pem }), UP)
  t.same(await outcome(t, { url: `rediss://127.0.0.1:${port}`, ca: authority.pem }), UP)
  t.match(await outcome(t, { url, ca: other.pem }), down(/^set REDIS_CA/))
  t.match(await outcome(t, { url }), down(/^set REDIS_CA/), 'without REDIS_CA only the authorities that Node knows count')

  const elsewhere = await openTls(t, certificates.signed(authority, 'elsewhere', 'DNS:elsewhere.example'))
  t.match(await outcome(t, { url: elsewhere.url, ca: authority.pem }), down(/does not match certificate's altnames/))
  t.same(await outcome(t, { url: elsewhere.url, tls_verify: false }), UP)

  const expired = await openTls(t, certificates.signed(authority, 'expired', 'DNS:localhost', -1))
  t.match(await outcome(t, { url: expired.url, ca: authority.pem }), down(/certificate has expired/))
})

t.test('rediss:// for a server without TLS, and redis:// for one with TLS, have a reason that says which to use', async t => {
  const { plain, port } = await openTls(t, certificates.signed(authority, 'both'))
  t.match(await outcome(t, { url: `rediss://localhost:${plain.port}` }), down(/^no answer within 2000 ms \(if the server expects no TLS, use redis:\/\/ in REDIS_URL\)$/))
  t.match(await outcome(t, { url: `redis://localhost:${port}` }), down(/^Connection is closed. \(if the server expects TLS, use rediss:\/\/ in/))
})

t.test('the host is named in the TLS handshake, for proxies that serve many databases', async t => {
  const { port } = await openTls(t, certificates.signed(authority, 'named'))
  const proxy = await startBlackhole(t, port)
  const { broker } = await open(t, { url: `rediss://localhost:${proxy.port}`, ca: authority.pem })
  t.equal(broker.connected, true)
  for (const { said } of proxy.open) t.match(said, 'localhost')
})

t.test('bus, presence and rate limits use TLS with REDIS_CA', async t => {
  const { plain, port } = await openTls(t, certificates.signed(authority, 'whole'))
  const config = { redis: { ...redis(), url: `rediss://localhost:${port}`, ca: authority.pem, pool_size: 2 } }
  const server = await startServer(t, { config })
  const admin = new Redis(plain.url)
  t.teardown(() => admin.disconnect())
  const ann = await server.enter('ann', 'general')
  t.equal((await ann.request({ type: 'user_list', channel: 'general' })).count, 1)
  const connected = ['message bus', 'presence', 'rate limits'].map(name => `${name} connected`)
  await eventually(() => connected.every(text => server.lines.some(line => line.includes(text))))
  t.equal((await clientsOf(admin)).length, 5)
  for (const line of await clientsOf(admin)) t.match(line, `laddr=127.0.0.1:${port} `)
})

t.test('users, percent-encoded passwords, databases and IPv6 in the URL work', async t => {
  const server = await startRedis(t, ['--bind', '127.0.0.1', '-::1'])
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  const password = 'a%b/c@d?e#f ä'
  await admin.call('ACL', 'SETUSER', 'chat:app', 'on', `>${password}`, '~*', '&*', '+@all')
  const user = `chat%3Aapp:${encodeURIComponent(password)}`
  const hasIPv6 = networkInterfaces().lo?.some(({ family }) => family === 'IPv6')
  const places = [`127.0.0.1:${server.port}/3`, `localhost:${server.port}?db=3`, ...hasIPv6 ? [`[::1]:${server.port}/3?family=6`] : []]
  for (const place of places) {
    const { broker } = await open(t, { url: `redis://${user}@${place}` })
    t.equal(broker.connected, true, place)
    for (const line of await clientsOf(admin)) t.match(line, / db=3 .* user=chat:app /)
    await broker.close()
    await eventually(async () => (await clientsOf(admin)).length === 0)
  }
})

t.test('a wrong password, a missing right or database, and Redis Cluster are logged in one line with the reason', async t => {
  const server = await startRedis(t, ['--databases', '4'])
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '&*', '+@all', '-eval')
  const at = `127.0.0.1:${server.port}`
  t.match(await outcome(t, { url: `redis://app:wrong@${at}` }), down(/WRONGPASS/))
  t.match(await outcome(t, { url: `redis://nobody:right@${at}` }), down(/WRONGPASS/))
  t.match(await outcome(t, { url: `redis://app:right@${at}` }), down(/NOPERM .*'eval'/))
  t.match(await outcome(t, { url: `redis://${at}/4` }), down(/DB index is out of range/))
  t.same(await outcome(t, { url: `redis://${at}/3` }), UP)
  await admin.call('ACL', 'SETUSER', 'default', 'off')
  t.match(await outcome(t, { url: server.url }), down(/NOAUTH/))

  const cluster = await startRedis(t, ['--cluster-enabled', 'yes', '--cluster-config-file', join(t.testdir(), 'nodes.conf')])
  const node = new Redis(cluster.url)
  t.teardown(() => node.disconnect())
  t.match(await outcome(t, { url: cluster.url }), down(/^this is Redis Cluster: write redis\+cluster:\/\/ in REDIS_URL/))
  await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  t.match(await outcome(t, { url: cluster.url }), down(/^this is Redis Cluster: write redis\+cluster:\/\/ in REDIS_URL/))
})

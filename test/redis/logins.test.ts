import { freePort } from '../../scripts/service.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { ann, lobby } from '../presence/people.ts'
import { lists } from '../presence/presences.ts'
import { t, type Test } from '../tap.ts'
import { createCertificates } from '../tls.ts'
import { administer, startNode, startSentinel } from './servers.ts'
import { usersOf } from './suite.ts'

const certificates = createCertificates(t.testdir())
const authority = certificates.selfSigned('authority')
const signed = certificates.signed(authority, 'signed')
/** The rights that docs/platforms.md names. */
const RIGHTS = 'resetkeys ~parley:* resetchannels &parley:* -@all +@pubsub +@scripting +@string +@hash +@set +@sortedset +@keyspace ' +
  '+@connection +time -@dangerous +info'
const files = [
  '--tls-cert-file', signed.path, '--tls-key-file', signed.key, '--tls-ca-cert-file', authority.path, '--tls-auth-clients', 'no'
]

/** A cluster of one node, with a user that has few rights. It takes TLS at `tlsPort`. */
async function openNode (t: Test) {
  const tlsPort = await freePort()
  const ports = ['--tls-port', String(tlsPort), '--tls-cluster', 'yes']
  const node = await startNode(t, [...ports, ...files])
  const admin = administer(t, node)
  await admin.cluster('ADDSLOTSRANGE', 0, 16_383)
  await eventually(async () => String(await admin.cluster('INFO')).includes('cluster_state:ok'))
  await admin.call('ACL', 'SETUSER', 'parley', 'on', '>of the user', ...RIGHTS.split(' '))
  return { node, tlsPort }
}

/** Opens a bus. @returns the reason that is logged, or `up`. */
async function outcomeAt (t: Test, url: string, ca = authority.pem): Promise<unknown> {
  const { log, openBroker } = usersOf(url, url.startsWith('rediss') ? { ca } : {})
  const { broker } = await openBroker(t, 'parley:')
  const { connected } = broker
  await broker.close()
  t.equal(log.length, 1, 'one line tells the state')
  return connected ? 'up' : 'reason' in log[0]!.details && log[0]!.details.reason
}

t.test('in a cluster, bus, presence and limits work over TLS and with the rights that the documentation names', async t => {
  const { node, tlsPort } = await openNode(t)
  const users = usersOf(`rediss+cluster://parley:of%20the%20user@localhost:${tlsPort}`, { ca: authority.pem })
  t.equal((await users.openBroker(t, 'parley:')).broker.connected, true)
  const [here, there] = [users.openPresence(t, 'parley:'), users.openPresence(t, 'parley:')]
  here.presence.enter(lobby, ann)
  await eventually(lists('ann', there))
  users.openCounters(t, 'parley:')
  await eventually(() => users.log.some(({ text }) => text === 'rate limits connected'))
  t.same(users.log.filter(({ level }) => level !== 'info'), [])

  t.match(await outcomeAt(t, `rediss+cluster://parley:wrong@localhost:${tlsPort}`), /^node localhost:\d+: WRONGPASS/)
  t.match(await outcomeAt(t, `rediss+cluster://localhost:${tlsPort}`, signed.pem), /^set REDIS_CA/)
  t.match(await outcomeAt(t, `redis+cluster://localhost:${tlsPort}`), /if the server expects TLS, use rediss\+cluster:\/\/ in REDIS_URL/)
  t.match(await outcomeAt(t, `rediss+cluster://localhost:${node.port}`), /if the server expects no TLS, use redis\+cluster:\/\/ in REDIS_URL/)
})

t.test('users and passwords of the servers and of the sentinels, and the database, are those of the URL, also over TLS', async t => {
  const server = await startRedis(t, ['--requirepass', 'of the server'])
  const sentinel = await startSentinel(t, server.port, 1, ['requirepass "of the sentinel+"', 'sentinel auth-pass main "of the server"'])
  const at = (password: string, parameters: string) => `redis+sentinel://:${password}@127.0.0.1:${sentinel.port}/main?db=3${parameters}`
  const right = '&sentinel_password=of%20the%20sentinel+'
  t.equal(await outcomeAt(t, at('of%20the%20server', right)), 'up')
  t.match(await outcomeAt(t, at('of%20the%20server', '&sentinel_password=wrong')), /^sentinel .*WRONGPASS/)
  t.match(await outcomeAt(t, at('of%20the%20server', '')), /^sentinel .*NOAUTH/)
  t.match(await outcomeAt(t, at('wrong', right)), /^WRONGPASS/)

  const [tlsPort, sentinelPort] = [await freePort(), await freePort()]
  await startRedis(t, ['--tls-port', String(tlsPort), ...files])
  const lines = files.flatMap((file, i) => i % 2 === 0 ? [`${file.slice(2)} ${files[i + 1]}`] : [])
  await startSentinel(t, tlsPort, 1, [`tls-port ${sentinelPort}`, 'tls-replication yes', ...lines])
  t.equal(await outcomeAt(t, `rediss+sentinel://localhost:${sentinelPort}/main`), 'up')
})

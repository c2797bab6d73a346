import { Redis } from 'ioredis'
import type { Topic } from '../../src/broker/broker.ts'
import { notice, subscribe } from '../contracts/broker.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { startReplication } from '../replication.ts'
import { t, type Test } from '../tap.ts'
import { arrives, startBrokers } from './brokers.ts'

const { log, open } = await startBrokers(t)
const topics: Topic[] = Array.from({ length: 12 }, (_, i) => `channel:${i}` as const)

/** Two instances on the address of a master that has a replica. */
async function openReplicated (t: Test) {
  const replication = await startReplication(t)
  const { url } = replication
  const [a, b] = [await open(t, { url, prefix: 'p:' }), await open(t, { url, prefix: 'p:' })]
  for (const instance of [a, b]) await subscribe(instance, ...topics)
  await eventually(() => arrives(topics, a, b, 'first'))
  log.length = 0
  return { ...replication, a, b }
}

t.test('[P33] after a failover the connections to the old master, now a replica, are replaced, and messages arrive again', async t => {
  const { second, address, a, b, failOver } = await openReplicated(t)
  address.leadTo(second.port)
  await failOver()
  await eventually(() => a.connected.length === 3 && b.connected.length === 3)
  t.same([a.connected, b.connected], [[true, false, true], [true, false, true]])
  await eventually(() => arrives(topics, a, b, 'after'))
  await eventually(() => arrives(topics, b, a, 'back'))
})

t.test('[P33] while only the old master can be reached, the bus is down; one line says that it is a read-only replica', async t => {
  const { second, address, a, b, failOver } = await openReplicated(t)
  await failOver()
  await eventually(() => !a.broker.connected && !b.broker.connected)
  const attempts = address.accepted
  await eventually(() => address.accepted > attempts + 20)
  t.same([a.broker.connected, b.broker.connected], [false, false])
  const dropped = a.broker.dropped
  a.broker.publish('channel:1', notice('lost'))
  t.equal(a.broker.dropped, dropped + 1)
  t.same(log.map(({ text }) => text), ['message bus lost', 'message bus lost'], 'one line for each instance')
  for (const line of log) t.match(line, { level: 'warn', details: { reason: /^a read-only replica \(READONLY / } })

  log.length = 0
  address.leadTo(second.port)
  await eventually(() => a.broker.connected && b.broker.connected)
  await eventually(() => arrives(topics, a, b, 'after'))
  // An attempt in between may fail for another reason, which has a line of its own.
  const connected = log.filter(({ text }) => text === 'message bus connected')
  t.equal(connected.length, 2)
})

t.test('[P33] an instance that starts on a replica is not connected, and says why', async t => {
  const { second } = await startReplication(t)
  log.length = 0
  const a = await open(t, { url: second.url })
  t.equal(a.broker.connected, false)
  t.match(log, [{ text: 'message bus cannot be reached', details: { reason: /^a read-only replica/ } }])
})

t.test('[P33] a subscription on another server than the publications is no bus, although replication brings its beats back', async t => {
  const { first, second, address, url } = await startReplication(t)
  // The instance connects its subscription first.
  address.leadTo(second.port, first.port)
  const a = await open(t, { url })
  await eventually(() => a.broker.connected)
  t.ok(log.some(line => JSON.stringify(line).includes('the subscription is on another server')))
})

t.test('[P33] a master that cannot write to its disk still carries messages', async t => {
  // Redis takes no writes after it has failed to save, which it cannot do in /proc.
  const server = await startRedis(t, ['--save', '3600 1', '--dir', '/proc'])
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  await admin.set('x', 'y')
  await admin.bgsave()
  await eventually(() => admin.set('x', 'y').then(() => false, error => /MISCONF/.test(String(error))))
  const [a, b] = [await open(t, { url: server.url, prefix: 'p:' }), await open(t, { url: server.url, prefix: 'p:' })]
  for (const instance of [a, b]) await subscribe(instance, ...topics)
  await eventually(() => arrives(topics, b, a, 'message'))
  t.same([a.connected, b.connected], [[true], [true]])
})

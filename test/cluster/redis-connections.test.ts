import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { root } from '../../scripts/root.ts'
import { startBlackhole } from '../blackhole.ts'
import type { Client } from '../client.ts'
import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { startReplication } from '../replication.ts'
import { t, type Test } from '../tap.ts'

/** Milliseconds that the rate limits, which probe their connection every 10 s, may take to notice that it is lost. */
const NOTICED = 20_000

async function startPair (t: Test, url: string) {
  const config = { redis: { ...redis(), url, pool_size: 3 } }
  const a = await startServer(t, { config })
  const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
  const [ann, ben] = [await a.enter('ann', 'room'), await b.enter('ben', 'room')]
  await eventually(async () => await online(ann) === 2 && await online(ben) === 2)
  return { a, b, ann, ben }
}

const online = async (client: Client): Promise<number> => (await client.request({ type: 'user_list', channel: 'room' })).count

t.test('[P33] after a failover, bus, presence and rate limits leave the old master, and clients are told of the bus', async t => {
  const { second, url, address, failOver } = await startReplication(t)
  const { a, b, ann, ben } = await startPair(t, url)
  const before = address.open
  t.equal(before.length, 2 * (4 + 1 + 1))

  await failOver()
  for (const client of [ann, ben]) await client.expect('degraded')
  t.match((await a.call('GET', '/readyz')).body, { status: 'ready', bus: 'degraded' })
  address.leadTo(second.port)
  for (const client of [ann, ben]) await client.expect('restored')
  t.match((await a.call('GET', '/readyz')).body, { status: 'ready', bus: 'up' })
  await eventually(() => before.every(({ ended }) => ended), NOTICED)
  const carl = await a.enter('carl', 'room')
  await eventually(async () => await online(ben) === 3, NOTICED)
  await carl.close()
  for (const { lines } of [a, b]) {
    for (const name of ['message bus', 'presence', 'rate limits']) {
      const said = () => lines.map(line => JSON.parse(line)).filter(({ msg }) => msg.startsWith(`${name} `))
      await eventually(() => said().length >= 3 && said().at(-1).msg === `${name} connected`)
      t.ok(said().some(({ reason }) => /^a read-only replica/.test(reason)), name)
    }
  }
})

t.test('[P33] connections of bus, presence and rate limits that swallow everything are replaced', async t => {
  const address = await startBlackhole(t, Number(new URL(process.env.TEST_REDIS_URL!).port))
  const { a, ann, ben } = await startPair(t, `redis://127.0.0.1:${address.port}`)
  const swallowed = address.open
  for (const connection of swallowed) connection.swallow('both')
  for (const client of [ann, ben]) await client.expect('degraded')
  for (const client of [ann, ben]) await client.expect('restored')
  await eventually(() => swallowed.every(({ ended }) => ended), NOTICED)
  const carl = await a.enter('carl', 'room')
  await eventually(async () => await online(ben) === 3, NOTICED)
  await carl.close()
})

t.test('the rights that docs/platforms.md names for a user of Redis are enough, and are limited to the prefix', async t => {
  const rights = /ACL SETUSER parley on >PASSWORD (.*)/.exec(readFileSync(join(root, 'docs/platforms.md'), 'utf8'))![1]!.split(' ')
  const server = await startRedis(t)
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'parley', 'on', '>secret', ...rights)

  const config = { redis: { url: `redis://parley:secret@127.0.0.1:${server.port}`, prefix: 'parley:', pool_size: 3 } }
  const leases = { lease: 2000, renew: 100 }
  const a = await startServer(t, { config, leases })
  const b = await startServer(t, { config, leases, databaseUrl: a.databaseUrl })
  const [ann, ben] = [await a.enter('ann', 'room'), await b.enter('ben', 'room')]
  await eventually(async () => await online(ann) === 2 && await online(ben) === 2)
  await ann.request({ type: 'send_message', channel: 'room', message: 'hello' })
  await ben.expect('message')
  await ben.close()
  await ann.expect('user_left')
  await a.call('POST', '/api/auth/login', { body: { email: ann.person.email, password: 'wrong password' } })
  // A dead instance is cleaned up with further commands.
  await b.close()
  const refused = async (): Promise<string[]> => (await admin.call('ACL', 'LOG') as string[][]).map(entry => entry.join(' '))
  t.same(await refused(), [])
  t.same([...a.lines, ...b.lines].filter(line => / lost| cannot be reached/.test(line)), [])

  const stranger = new Redis(config.redis.url, { enableReadyCheck: false })
  t.teardown(() => stranger.disconnect())
  for (const command of [['GET', 'other'], ['PUBLISH', 'other', 'x'], ['KEYS', '*'], ['FLUSHALL'], ['CONFIG', 'GET', '*'], ['SHUTDOWN']]) {
    await t.rejects(stranger.call(command[0]!, ...command.slice(1)), { message: /NOPERM/ }, command.join(' '))
  }
})

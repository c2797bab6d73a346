import pg from 'pg'
import { readDatabaseUrl } from '../../src/database-url.ts'
import { Pool } from '../../src/store/pool.ts'
import { reserveConnection } from '../../src/store/reserved-connection.ts'
import { startBlackhole } from '../blackhole.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, startServer, type Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'
import { converse, createRole, emptyDatabase, migrate, nameOf, run, startPair } from './conversation.ts'

/** Creates an empty database whose owner may have only this many connections. @returns its URL for the owner. */
async function limitedDatabase (t: Test, limit: number): Promise<string> {
  const url = await emptyDatabase(t)
  const limited = await createRole(t, url, `CONNECTION LIMIT ${limit}`)
  await run(url, `ALTER DATABASE ${nameOf(url)} OWNER TO ${nameOf(url)}`)
  return limited
}

const warnings = ({ lines }: Server) => lines.map(line => JSON.parse(line)).filter(({ level }) => level >= 40)

for (const limit of [1, 2]) {
  t.test(`[G19] ${limit === 1 ? 'one connection is' : 'two connections are'} enough for the start and for everything after it`, async t => {
    const url = await limitedDatabase(t, limit)
    t.ok((await migrate(url)).length > 0)
    const server = await startServer(t, { databaseUrl: url })
    const ann = await server.enter('ann', 'room')
    const sends = Array.from({ length: 20 }, () => ann.exchange({ type: 'send_message', channel: 'room', message: 'x' }))
    const reads = Array.from({ length: 20 }, () => server.call('GET', '/api/channels', { token: ann.person.access_token }))
    t.strictSame(new Set((await Promise.all(sends)).map(({ action }) => action)), new Set(['message_sent']))
    t.strictSame(new Set((await Promise.all(reads)).map(({ status }) => status)), new Set([200]))
  })
}

t.test('[G19] a pool of 10 shrinks to the 3 connections that the role may have: no request fails, and one warning says so', async t => {
  const url = await limitedDatabase(t, 3)
  await migrate(url)
  const server = await startServer(t, { databaseUrl: url, config: { metrics: { token: 'a-token-for-the-metrics' } } })
  const ann = await server.enter('ann', 'room')
  for (let round = 0; round < 3; round++) {
    const reads = Array.from({ length: 50 }, () => server.call('GET', '/api/channels', { token: ann.person.access_token }))
    t.strictSame(new Set((await Promise.all(reads)).map(({ status }) => status)), new Set([200]))
  }
  const warning = { wanted: 10, reason: /^too many connections for role/, msg: /allows fewer connections than database\.pool_size/ }
  t.match(warnings(server), [warning])
  t.equal(warnings(server).length, 1)
  const metrics = await fetch(`${server.origin}/metrics`, { headers: { authorization: 'Bearer a-token-for-the-metrics' } })
  t.match(await metrics.text(), /^parley_database_connections_max 3$/m)
})

t.test('[G19] two instances share a role that may have 4 connections', async t => {
  const url = await limitedDatabase(t, 4)
  await migrate(url)
  await converse(t, await startPair(t, url))
})

const BALANCERS: Record<string, (proxy: Awaited<ReturnType<typeof startBlackhole>>) => void> = {
  // Nothing listens on port 1.
  'ends further connections': proxy => proxy.leadTo(1),
  'leaves further connections without an answer': proxy => proxy.swallowNew(true)
}
for (const [what, refuse] of Object.entries(BALANCERS)) {
  t.test(`[G19] no request fails behind a load balancer that ${what}`, async t => {
    const url = new URL(await createDatabase(t))
    const proxy = await startBlackhole(t, Number(url.port))
    url.port = String(proxy.port)
    const server = await startServer(t, { databaseUrl: url.href })
    const ann = await server.enter('ann', 'room')
    refuse(proxy)
    const reads = Array.from({ length: 40 }, () => server.call('GET', '/api/channels', { token: ann.person.access_token }))
    t.strictSame(new Set((await Promise.all(reads)).map(({ status }) => status)), new Set([200]))
    t.match(warnings(server), [{ msg: /allows fewer connections than database\.pool_size/ }])
  })
}

t.test('[G19] requests at once succeed each time the pool tries in vain for a second connection, and no listener is left', async t => {
  const target = readDatabaseUrl(await limitedDatabase(t, 1))
  const pool = new Pool({ target, size: 10, timeout: 5000, onShrunk: () => {} })
  const reserved = reserveConnection(pool)
  t.teardown(async () => {
    reserved.close()
    await pool.end()
  })
  for (let attempt = 0; attempt < 5; attempt++) {
    // A pool that has shrunk does this every 30 s.
    pool.options.max = 2
    await reserved.query('SELECT 1', [])
    await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])
    t.equal(pool.options.max, 1)
  }
  const client = await pool.connect()
  t.equal(client.listenerCount('error'), 0)
  client.release()
})

t.test('[G19] a lost connection ends all idle ones, so that no later request meets another dead one', async t => {
  const databaseUrl = await createDatabase(t)
  const proxy = await startBlackhole(t, Number(new URL(databaseUrl).port))
  const url = new URL(databaseUrl)
  url.port = String(proxy.port)
  const server = await startServer(t, { databaseUrl: url.href })
  const ann = await server.enter('ann', 'room')
  const send = () => ann.exchange({ type: 'send_message', channel: 'room', message: 'x' })
  const list = () => server.call('GET', '/api/channels', { token: ann.person.access_token })
  // Slow reads, so that the pool opens all its connections.
  const lock = new pg.Client(databaseUrl)
  await lock.connect()
  t.teardown(() => lock.end())
  await lock.query('BEGIN; LOCK TABLE "ChannelInvite"')
  const reads = Array.from({ length: 12 }, list)
  await eventually(() => server.database.pool()!.used >= 9)
  await lock.query('COMMIT')
  await Promise.all(reads)
  await send()

  for (const connection of proxy.open) connection.swallow('both')
  const before = performance.now()
  t.equal((await send()).code, 'unavailable')
  t.ok(performance.now() - before < 8000, 'the first answer takes one time-out')
  // All later requests get a connection that works.
  t.strictSame((await Promise.all([list(), list(), list()])).map(({ status }) => status), [200, 200, 200])
  await eventually(async () => (await send()).action === 'message_sent', 2000)
})

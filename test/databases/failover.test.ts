import { startDatabase } from '../../scripts/postgres.ts'
import { eventually } from '../eventually.ts'
import { createDatabase, failure, startServer, type Server } from '../helper.ts'
import { startBlackhole } from '../blackhole.ts'
import { t, type Test } from '../tap.ts'
import { converse, migrate, nameOf, run, startPair } from './conversation.ts'

/** Milliseconds within which the readiness changes and service resumes. */
const WITHIN = 10_000

// All tests but the one that stops it share this primary. Each promotes a standby of its own.
const primary = await startPrimary(t)

/** Starts a server with a migrated database. */
async function startPrimary (t: Test) {
  const primary = await startDatabase()
  t.teardown(primary.stop)
  await migrate(primary.url)
  return primary
}

async function startStandby (t: Test, { port } = primary) {
  const standby = await startDatabase({ standbyOf: port })
  t.teardown(standby.stop)
  return standby
}

const readiness = async (server: Server): Promise<number> => (await server.call('GET', '/readyz')).status

t.test('[G19] while the server is read-only, writes are unavailable and the instance is not ready; service resumes by itself', async t => {
  const url = await createDatabase(t)
  const name = nameOf(url)
  const server = await startServer(t, { databaseUrl: url })
  const ann = await server.enter('ann', 'room')
  const send = () => ann.exchange({ type: 'send_message', channel: 'room', message: 'x' })
  const post = () => server.call('POST', '/api/channels/room/messages', { token: ann.person.access_token, body: { message: 'x' } })
  t.equal((await send()).action, 'message_sent')

  await run(url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  // A setting of the database counts for new sessions.
  await run(process.env.TEST_DATABASE_URL!, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  await eventually(async () => await readiness(server) === 503, WITHIN)
  t.match(await send(), failure('unavailable'))
  t.match(await post(), { status: 503, body: { code: 'unavailable' } })
  const list = await server.call('GET', '/api/channels', { token: ann.person.access_token })
  t.equal(list.status, 503, 'a standby would answer with old data')
  t.notOk(server.lines.some(line => JSON.parse(line).level >= 50), 'nothing is logged as a fault')

  await run(`${url}?options=-c%20default_transaction_read_only%3Doff`, `ALTER DATABASE ${name} RESET default_transaction_read_only`)
  await eventually(async () => await readiness(server) === 200, WITHIN)
  await eventually(async () => (await send()).action === 'message_sent', WITHIN)
  t.equal((await post()).status, 201)
})

t.test('[G19] a server that becomes read-only under open connections loses them', async t => {
  const server = await startServer(t, { databaseUrl: primary.url })
  const ann = await server.enter('ann', 'room')
  const send = async (): Promise<string> => {
    const { action, code } = await ann.exchange({ type: 'send_message', channel: 'room', message: 'x' })
    return action ?? code
  }
  t.equal(await send(), 'message_sent')
  const writable = `${primary.url}?options=-c%20default_transaction_read_only%3Doff`
  const reset = () => run(writable, 'ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()')
  t.teardown(reset)
  await run(primary.url, 'ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
  t.equal(await eventually(async () => { const answer = await send(); return answer !== 'message_sent' && answer }), 'unavailable')
  t.equal(await readiness(server), 503)
  await reset()
  await eventually(async () => await send() === 'message_sent', WITHIN)
  t.equal(await readiness(server), 200)
})

t.test('[G19] when a standby is promoted, an instance whose URL names both servers goes on with the new primary', async t => {
  const primary = await startPrimary(t)
  const standby = await startStandby(t, primary)
  // The standby stands first: it is passed over as long as it is one.
  const url = `postgresql://parley@127.0.0.1:${standby.port},127.0.0.1:${primary.port}/postgres?target_session_attrs=read-write`
  const server = await startServer(t, { databaseUrl: url })
  const ann = await server.enter('ann', 'room')
  const send = (message: string) => ann.exchange({ type: 'send_message', channel: 'room', message })
  t.equal((await send('before')).action, 'message_sent')
  const [{ flushed } = {}] = await run(primary.url, 'SELECT pg_current_wal_lsn()::text AS flushed')
  await eventually(async () => (await run(standby.url, `SELECT pg_last_wal_replay_lsn() >= '${flushed}' AS done`))[0]!.done as boolean)

  await primary.stop()
  await eventually(async () => (await send('during')).code === 'unavailable')
  t.equal(await readiness(server), 503)
  await run(standby.url, 'SELECT pg_promote()')
  await eventually(async () => (await send('after')).action === 'message_sent', WITHIN)
  t.equal(await readiness(server), 200)
  const { body } = await server.call('GET', '/api/channels/room/messages', { token: ann.person.access_token })
  t.strictSame(body.messages.map(({ message }: { message: string }) => message), ['before', 'after'])
  await converse(t, await startPair(t, url))
})

t.test('[G19] an old primary that comes back as a standby behind the same address serves nobody', async t => {
  const standby = await startStandby(t)
  const address = await startBlackhole(t, primary.port)
  const server = await startServer(t, { databaseUrl: `postgresql://parley@127.0.0.1:${address.port}/postgres` })
  const ann = await server.enter('ann', 'room')
  const send = () => ann.exchange({ type: 'send_message', channel: 'room', message: 'x' })
  address.leadTo(standby.port)
  address.end()
  await eventually(async () => await readiness(server) === 503, WITHIN)
  t.match(await send(), failure('unavailable'))
  await run(standby.url, 'SELECT pg_promote()')
  await eventually(async () => (await send()).action === 'message_sent', WITHIN)
  t.equal(await readiness(server), 200)
})

t.test('a start on a read-only server fails with one line', async t => {
  const standby = await startStandby(t)
  const reason = 'the server is read-only: it is a standby, or default_transaction_read_only is on. DATABASE_URL has to name another'
  await t.rejects(migrate(standby.url), { message: `database 127.0.0.1:${standby.port}/postgres: ${reason}` })
})

t.test('[G19] if no server of the URL answers any more, requests are unavailable, and nothing is logged as a fault', async t => {
  const url = new URL(await createDatabase(t))
  const addresses = [await startBlackhole(t, Number(url.port)), await startBlackhole(t, Number(url.port))] as const
  const hosts = addresses.map(({ port }) => `127.0.0.1:${port}`).join()
  const server = await startServer(t, { databaseUrl: `postgresql://parley@${hosts}${url.pathname}` })
  const ann = await server.enter('ann', 'room')
  for (const address of addresses) {
    address.swallowNew(true)
    address.end()
  }
  const post = () => server.call('POST', '/api/channels/room/messages', { token: ann.person.access_token, body: { message: 'x' } })
  const list = () => server.call('GET', '/api/channels', { token: ann.person.access_token })
  t.strictSame((await Promise.all([post(), list()])).map(({ status }) => status), [503, 503])
  t.notOk(server.lines.some(line => JSON.parse(line).level >= 50))
})

t.test('[G19] a server that no longer answers at all is passed over for the next one of the URL', async t => {
  const standby = await startStandby(t)
  const address = await startBlackhole(t, primary.port)
  const url = `postgresql://parley@127.0.0.1:${address.port},127.0.0.1:${standby.port}/postgres`
  const server = await startServer(t, { databaseUrl: url })
  const ann = await server.enter('ann', 'room')
  const send = () => ann.exchange({ type: 'send_message', channel: 'room', message: 'x' })
  t.equal((await send()).action, 'message_sent')
  address.swallowNew(true)
  for (const connection of address.open) connection.swallow('both')
  await run(standby.url, 'SELECT pg_promote()')
  t.equal((await send()).code, 'unavailable')
  await eventually(async () => (await send()).action === 'message_sent', WITHIN)
  t.equal(await readiness(server), 200)
})

import { createParley, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { ConfigError } from '../../src/config-error.ts'
import { eventually, startParley, type StartOptions, type TestUser } from '../../src/testing/index.ts'
import { createDataDirectory } from '../embedded.ts'
import { createDatabase } from '../helper.ts'
import { t, type Test } from '../tap.ts'

// docs.test.ts starts a server with the database in memory, which takes three CPU seconds to make.
const database = { data_dir: await createDataDirectory(t) }
const embedded = await startParley({ config: { authentication: { guests: true }, database } })
t.teardown(embedded.close)

/** A client of `@parley/client` that has opened a channel. */
async function enter (t: Test, url: string, user: TestUser, channelName: string) {
  const client = createParley({ url, token: user.token, WebSocket: WebSocket as unknown as WebSocketLike })
  t.teardown(() => client.disconnect())
  const channel = client.channel(channelName)
  channel.open()
  client.connect()
  await eventually(() => channel.getSnapshot().state === 'live')
  return { client, channel }
}

t.test('users have tokens for REST, raw connections and @parley/client, and several may have the same name', async t => {
  const [ann, bob, other] = await embedded.users('ann', 'bob', 'ann')
  t.not(ann.id, other.id)
  t.not(ann.handle, other.handle)
  const [raw, { channel }] = [await ann.connect(), await enter(t, embedded.url, bob, 'talk')]
  await raw.request({ type: 'join_channel', channel: 'talk' })
  await channel.send('hello')
  t.match(await raw.expect('message'), { message: 'hello', username: 'bob' })
  t.match((await bob.call('GET', '/api/me')).body, { id: bob.id, email: bob.email })
  const { status } = await embedded.call('POST', '/api/auth/login', { body: { email: ann.email, password: ann.password } })
  t.equal(status, 200)
  t.match(await (await embedded.connect()).exchange({ type: 'authenticate' }), { data: { handle: null } }, 'guests are admitted')
})

t.test('cut ends connections, refused ones come back later, and a stalled one stays silent', async t => {
  const [ann, bob] = await embedded.users('ann', 'bob')
  const { client, channel } = await enter(t, embedded.url, ann, 'cut')
  const raw = await bob.connect()
  embedded.refuseConnections()
  embedded.cut()
  t.equal((await raw.closed()).code, 1006)
  await eventually(() => client.getSnapshot().state === 'waiting')
  await t.rejects(fetch(`${embedded.url}/healthz`))
  const { status } = await bob.call('GET', '/api/me')
  t.equal(status, 200, 'REST calls of the test go past the fault')
  embedded.refuseConnections(false)
  await channel.send('I am back')

  const silent = await bob.connect()
  embedded.stall()
  silent.send({ type: 'heartbeat' })
  const second = await bob.connect()
  await second.settle()
  t.same(silent.inbox, [], 'the stalled connection is open and gets nothing')
  t.equal(silent.socket.readyState, WebSocket.OPEN)
})

t.test('[P14] tokens expire with the clock of the server, and so does what has a date in the embedded database', async t => {
  const [ann, bob] = await embedded.users('ann', 'bob')
  const { client } = await enter(t, embedded.url, ann, 'expiry')
  const raw = await bob.connect()
  await raw.request({ command: 'create_channel', name: 'ruled' })
  await client.request('join_channel', { channel: 'ruled' })
  await raw.request({ command: 'mute_user', channel: 'ruled', handle: ann.handle, duration: 3000 })
  const old = await bob.token()
  const before = Date.now()
  await embedded.expireTokens()
  t.ok(Date.now() - before >= 3_600_000, 'the test shares the clock with the server')
  t.equal((await raw.closed()).code, 4401)
  t.match(await (await embedded.connect()).exchange({ type: 'authenticate', token: old }), { code: 'authentication_failed' })
  t.not(await bob.token(), old)
  t.equal((await bob.call('GET', '/api/me')).status, 200)
  await eventually(() => client.getSnapshot().state === 'online')
  const { body } = await bob.call('GET', '/api/channels/ruled/mutes')
  t.same(body.mutes, [], 'the mute of 3000 s has ended')
  await t.rejects(embedded.advance(-1), RangeError)
})

t.test('a stopped embedded database refuses every statement, and keeps what it has', async t => {
  const [ann] = await embedded.users('ann')
  const raw = await ann.connect()
  await raw.request({ type: 'join_channel', channel: 'stored' })
  await raw.request({ type: 'send_message', channel: 'stored', message: 'before' })
  await embedded.stopDatabase()
  t.match(await raw.exchange({ type: 'send_message', channel: 'stored', message: 'lost' }), { code: 'unavailable' })
  t.match(await embedded.call('GET', '/readyz'), { status: 503 })
  t.match(await ann.call('GET', '/api/channels/stored/messages'), { status: 503 })
  await embedded.startDatabase()
  await eventually(async () => (await ann.call('POST', '/api/channels/stored/messages', { message: 'after' })).status === 201)
  const { body } = await ann.call('GET', '/api/channels/stored/messages')
  t.same(body.messages.map(({ message }: { message: string }) => message), ['before', 'after'])
  t.throws(() => embedded.loseBus(), /without redisUrl/)
})

t.test('[P33] with PostgreSQL and Redis the database stops, and the bus is lost and regained', async t => {
  const databaseUrl = await createDatabase(t)
  const parley = await startParley({ databaseUrl, redisUrl: process.env.TEST_REDIS_URL ?? '' })
  t.teardown(parley.close)
  const [ann] = await parley.users('ann')
  const raw = await ann.connect()
  await raw.request({ type: 'join_channel', channel: 'talk' })
  parley.loseBus()
  await raw.expect('degraded')
  await raw.request({ type: 'send_message', channel: 'talk', message: 'stored all the same' })
  parley.regainBus()
  await raw.expect('restored')
  await parley.stopDatabase()
  t.match(await raw.exchange({ type: 'send_message', channel: 'talk', message: 'lost' }), { code: 'unavailable' })
  await parley.startDatabase()
  await eventually(async () => (await raw.exchange({ type: 'send_message', channel: 'talk', message: 'after' })).type === 'success')
})

t.test('what is wrong with an option is one line, before anything has started', async t => {
  const config = { channels: { default_rom: 'lobby' } } as StartOptions['config'] & object
  await t.rejects(startParley({ config }), new ConfigError('unknown key channels.default_rom'))
  await t.rejects(startParley({ config: { mail: { queue_size: 0 } } }), { message: /^MAIL_QUEUE_SIZE must be an integer/ })
  await t.rejects(startParley({ config: { database } }), /in use/, 'the folder of a server that runs')
  await t.rejects(startParley({ databaseUrl: 'somewhere' }), new ConfigError('databaseUrl must be a URL'))
  for (const redisUrl of ['rediss://127.0.0.1', 'redis+cluster://127.0.0.1', 'redis+sentinel://127.0.0.1/main']) {
    await t.rejects(startParley({ redisUrl }), { message: /^redisUrl must lead to one server, without TLS/ })
  }
})

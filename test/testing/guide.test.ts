// The tests of the guide that Parley follows, which it runs on a helper for WebSocket tests of its own.
import { errorTable } from '../../src/errors.ts'
import { startParley, type Connection } from '../../src/testing/index.ts'
import { createDatabase } from '../helper.ts'
import { t } from '../tap.ts'

const parley = await startParley({ databaseUrl: await createDatabase(t) })
t.teardown(parley.close)
const [ann] = await parley.users('ann')

/** The channels in which this connection's user is a member. */
async function channelsOf (connection: Connection): Promise<string[]> {
  const { channels } = await connection.request({ type: 'channel_list', joined: true })
  return channels.map(({ name }: { name: string }) => name)
}

t.test('authentication: authenticates with a valid token', async t => {
  const connection = await parley.connect()
  const reply = await connection.exchange({ type: 'authenticate', token: await ann.token() })
  t.match(reply, { type: 'success', action: 'authenticated', data: { user_id: ann.id, username: 'ann', email: ann.email } })
})

t.test('authentication: rejects an invalid token', async t => {
  const connection = await parley.connect()
  const reply = await connection.exchange({ type: 'authenticate', token: 'invalid' })
  t.match(reply, { type: 'error', code: 'authentication_failed', message: 'Authentication failed' })
  t.match(await connection.exchange({ type: 'channel_list' }), { code: 'not_authenticated' }, 'the connection has no user')
})

t.test('channel management: joins a channel, and leaves it', async t => {
  const connection = await ann.connect()
  t.match(await connection.exchange({ type: 'join_channel', channel: 'test-channel' }), { type: 'success', action: 'channel_joined' })
  t.same(await channelsOf(connection), ['test-channel'])
  t.match(await connection.exchange({ type: 'leave_channel', channel: 'test-channel' }), { type: 'success', action: 'channel_left' })
  t.same(await channelsOf(connection), [])
})

t.test('messaging: sends a message to a channel, which stores it once', async t => {
  const connection = await ann.connect()
  await connection.request({ type: 'join_channel', channel: 'talk' })
  await connection.request({ type: 'send_message', channel: 'talk', message: 'Hello, world!' })
  const { body } = await ann.call('GET', '/api/channels/talk/messages')
  t.match(body.messages, [{ message: 'Hello, world!', username: 'ann' }])
  t.equal(body.messages.length, 1)
})

t.test('messaging: rejects a message when the user is not in the channel', async t => {
  const [connection, other] = [await ann.connect(), await ann.connect()]
  await other.request({ type: 'join_channel', channel: 'other-channel' })
  await other.request({ type: 'leave_channel', channel: 'other-channel' })
  const reply = await connection.exchange({ type: 'send_message', channel: 'other-channel', message: 'Hello, world!' })
  t.match(reply, { type: 'error', code: 'not_in_channel', message: errorTable.not_in_channel.message })
})
